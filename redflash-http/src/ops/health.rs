//! `/healthz`: the process runs. `/readyz`: it can do its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use redflash_core::{Engine, error_chain};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::warn;

use crate::app::App;
use crate::auth::api_key;

/// How long an answer serves for the next question, since each one costs a commit.
const FRESH: Duration = Duration::from_secs(1);
/// How long a commit may take.
const COMMIT: Duration = Duration::from_secs(2);

/// The last answer, and when it was found.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, Vec<Fault>)>>);

/// A reason why the server is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    reason: String,
    /// The words of the store, which may hold paths and names of machines.
    detail: Option<String>,
}

impl Fault {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            detail: None,
        }
    }

    /// The whole of it, for the log and for keys that may inspect.
    fn whole(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.reason),
            None => self.reason.clone(),
        }
    }
}

/// The response of `/healthz` and `/readyz`.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// `alive`, `ready` or `not ready`.
    status: &'static str,
    /// The reasons why it is not ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
}

pub(crate) async fn alive() -> Json<Answer> {
    Json(Answer {
        status: "alive",
        faults: Vec::new(),
    })
}

pub(crate) async fn ready(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> (StatusCode, Json<Answer>) {
    let faults = faults(&app).await;
    if faults.is_empty() {
        let status = "ready";
        return (
            StatusCode::OK,
            Json(Answer {
                status,
                faults: Vec::new(),
            }),
        );
    }
    let is_told_all = may_inspect(&app.engine, &headers).await;
    let answer = not_ready(faults, is_told_all);
    (StatusCode::SERVICE_UNAVAILABLE, Json(answer))
}

fn not_ready(faults: Vec<Fault>, is_told_all: bool) -> Answer {
    let told = |fault: Fault| {
        if is_told_all {
            fault.whole()
        } else {
            fault.reason
        }
    };
    Answer {
        status: "not ready",
        faults: faults.into_iter().map(told).collect(),
    }
}

/// Returns true if a request has a key that may inspect; false if the store does not answer.
async fn may_inspect(engine: &Engine, headers: &HeaderMap) -> bool {
    let Some(secret) = api_key::bearer(headers) else {
        return false;
    };
    let key = timeout(COMMIT, engine.api_key(&secret)).await;
    matches!(key, Ok(Ok(Some(key))) if key.enabled && (key.inspect || key.admin))
}

/// The reasons why the server is not ready, found out or remembered.
async fn faults(app: &App) -> Vec<Fault> {
    // Those who ask meanwhile wait here for the same answer.
    let mut last = app.readiness.0.lock().await;
    if let Some((found, faults)) = &*last
        && found.elapsed() < FRESH
    {
        return faults.clone();
    }
    let faults = judge(&app.engine).await;
    let before = last.replace((Instant::now(), faults.clone()));
    let is_new = before.is_none_or(|(_, before)| before != faults);
    if is_new && !faults.is_empty() {
        let faults: Vec<_> = faults.iter().map(Fault::whole).collect();
        warn!(faults = faults.join("; "), "not ready");
    }
    faults
}

async fn judge(engine: &Engine) -> Vec<Fault> {
    let mut faults = Vec::new();
    match timeout(COMMIT, engine.store().probe(engine.now())).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => faults.push(Fault {
            reason: "no commit is possible".to_owned(),
            detail: Some(error_chain(&fault)),
        }),
        Err(_) => {
            let reason = format!("a commit takes longer than {} s", COMMIT.as_secs());
            faults.push(Fault::new(reason));
        }
    }
    let health = engine.health();
    if !health.running {
        faults.push(Fault {
            reason: "the dispatcher does not run".to_owned(),
            detail: Some(health.problems.join("; ")),
        });
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_told_nothing_of_the_store() {
        let fault = Fault {
            reason: "no commit is possible".to_owned(),
            detail: Some("/var/lib/redflash.db: the disk is full".to_owned()),
        };
        let told = |all| not_ready(vec![fault.clone()], all).faults.remove(0);
        assert_eq!(told(false), "no commit is possible");
        let whole = "no commit is possible: /var/lib/redflash.db: the disk is full";
        assert_eq!(told(true), whole);
    }
}
