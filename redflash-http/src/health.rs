//! `/healthz`: the process runs. `/readyz`: it can do its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use redflash_core::{Engine, report};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::front::App;

/// How long an answer serves for the next question, since each one costs a commit.
const FRESH: Duration = Duration::from_secs(1);
/// How long a commit may take.
const COMMIT: Duration = Duration::from_secs(2);
/// How long the dispatcher may stand still: it looks at its queue every few seconds.
const STILL: Duration = Duration::from_secs(30);

/// The last answer, and when it was found.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, Verdict)>>);

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    /// `ready` or `not ready`.
    status: &'static str,
    /// What is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
}

pub(crate) async fn alive() -> Json<Verdict> {
    Json(Verdict {
        status: "alive",
        faults: Vec::new(),
    })
}

pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Verdict>) {
    // Those who ask meanwhile wait here for the same answer.
    let mut last = app.readiness.0.lock().await;
    let verdict = match &*last {
        Some((found, verdict)) if found.elapsed() < FRESH => verdict.clone(),
        _ => {
            let verdict = judge(&app.engine).await;
            *last = Some((Instant::now(), verdict.clone()));
            verdict
        }
    };
    let status = if verdict.faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(verdict))
}

async fn judge(engine: &Engine) -> Verdict {
    let mut faults = Vec::new();
    match timeout(COMMIT, engine.store().probe(engine.now())).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => faults.push(format!("no commit is possible: {}", report(&fault))),
        Err(_) => faults.push(format!("a commit takes longer than {} s", COMMIT.as_secs())),
    }
    let health = engine.health();
    if !health.running {
        faults.push("the dispatcher does not run".into());
    } else if health
        .moved_at
        .is_none_or(|moved| engine.now().since(moved) > STILL)
    {
        faults.push("the dispatcher stands still".into());
    }
    let status = if faults.is_empty() {
        "ready"
    } else {
        "not ready"
    };
    Verdict { status, faults }
}
