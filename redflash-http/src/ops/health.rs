//! `/healthz`: the process runs. `/readyz`: the server can do its work.

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
    /// The reasons why the server is not ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

pub(crate) async fn alive() -> Json<HealthResponse> {
    Json(HealthResponse {
        status: "alive",
        problems: Vec::new(),
    })
}

pub(crate) async fn ready(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> (StatusCode, Json<HealthResponse>) {
    let issues = app.readiness.check(&app.engine).await;
    if issues.is_empty() {
        let status = "ready";
        return (
            StatusCode::OK,
            Json(HealthResponse {
                status,
                problems: Vec::new(),
            }),
        );
    }
    let may_see_details = may_inspect(&app.engine, &headers).await;
    let response = not_ready(issues, may_see_details);
    (StatusCode::SERVICE_UNAVAILABLE, Json(response))
}

fn not_ready(issues: Vec<ReadinessIssue>, may_see_details: bool) -> HealthResponse {
    let text = |issue: ReadinessIssue| {
        if may_see_details {
            issue.full_text()
        } else {
            issue.reason
        }
    };
    HealthResponse {
        status: "not ready",
        problems: issues.into_iter().map(text).collect(),
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
    fn hides_store_errors_from_strangers() {
        let issue = ReadinessIssue {
            reason: "no commit is possible".to_owned(),
            detail: Some("/var/lib/redflash.db: the disk is full".to_owned()),
        };
        let text = |all| not_ready(vec![issue.clone()], all).problems.remove(0);
        assert_eq!(text(false), "no commit is possible");
        let full = "no commit is possible: /var/lib/redflash.db: the disk is full";
        assert_eq!(text(true), full);
    }
}
