//! `GET /api/v1/status`: how things are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use redflash_core::Health;
use redflash_core::store::{Backlog, Recent};
use serde::Serialize;

use crate::api::openapi::operation::Operation;
use crate::api::problem::Problem;
use crate::app::App;
use crate::last_day;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let auth = Auth::ApiKey(Permission::View);
    let status = Operation::new("readStatus", "Status", "Says how things are").gives("Status");
    vec![Route::new(Method::GET, "/api/v1/status", auth, show).described(status)]
}

/// How things are.
#[derive(Debug, Serialize)]
struct Status {
    /// How this node is.
    health: Health,
    /// What waits.
    backlog: Backlog,
    /// How the last hours went.
    recent: Recent,
}

async fn show(State(app): State<Arc<App>>) -> Result<Json<Status>, Problem> {
    let engine = &app.engine;
    Ok(Json(Status {
        health: engine.health(),
        backlog: engine.store().backlog().await?,
        recent: last_day::recent(engine).await?,
    }))
}
