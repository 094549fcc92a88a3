//! `GET /api/v1/changes`: who changed what, newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use redflash_core::store::AuditFilter;

use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::page::{Page, cut};
use crate::api::problem::Problem;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

pub(crate) fn routes() -> Vec<Route> {
    let auth = Auth::ApiKey(Permission::Admin);
    let changes = Operation::new(
        "listChanges",
        "Changes",
        "Lists who changed what, newest first",
    )
    .asks(&["subject", "by", "limit", "cursor"])
    .gives("ChangePage");
    vec![Route::new(Method::GET, "/api/v1/changes", auth, list).described(changes)]
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Response, Problem> {
    let limit = query.limit()?;
    let filter = AuditFilter {
        subject: query.text("subject").map(str::to_owned),
        by: query.read("by")?,
        before: query.read("cursor")?,
        limit: limit.saturating_add(1),
    };
    let mut changes = app.engine.store().audit_entries(&filter).await?;
    let next = cut(&mut changes, limit, |change| change.id);
    let page = Page {
        name: "changes",
        items: changes,
        next,
    };
    Ok(page.into_response())
}
