//! `/healthz`: the process runs. `/readyz`: it can do its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use redflash_core::Engine;
use serde::Serialize;
use tokio::time::timeout;

use crate::app::App;
use crate::auth::api_key;
use crate::ops::readiness::{COMMIT, ReadinessIssue};

/// The response of `/healthz` and `/readyz`.
#[derive(Debug, Serialize)]
pub(crate) struct HealthResponse {
    /// `alive`, `ready` or `not ready`.
    status: &'static str,
    /// The reasons why it is not ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
}

pub(crate) async fn alive() -> Json<HealthResponse> {
    Json(HealthResponse {
        status: "alive",
        faults: Vec::new(),
    })
}

pub(crate) async fn ready(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> (StatusCode, Json<HealthResponse>) {
    let faults = app.readiness.faults(&app.engine).await;
    if faults.is_empty() {
        let status = "ready";
        return (
            StatusCode::OK,
            Json(HealthResponse {
                status,
                faults: Vec::new(),
            }),
        );
    }
    let is_told_all = may_inspect(&app.engine, &headers).await;
    let answer = not_ready(faults, is_told_all);
    (StatusCode::SERVICE_UNAVAILABLE, Json(answer))
}

fn not_ready(faults: Vec<ReadinessIssue>, is_told_all: bool) -> HealthResponse {
    let told = |fault: ReadinessIssue| {
        if is_told_all {
            fault.whole()
        } else {
            fault.reason
        }
    };
    HealthResponse {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_told_nothing_of_the_store() {
        let fault = ReadinessIssue {
            reason: "no commit is possible".to_owned(),
            detail: Some("/var/lib/redflash.db: the disk is full".to_owned()),
        };
        let told = |all| not_ready(vec![fault.clone()], all).faults.remove(0);
        assert_eq!(told(false), "no commit is possible");
        let whole = "no commit is possible: /var/lib/redflash.db: the disk is full";
        assert_eq!(told(true), whole);
    }
}
