//! `GET /api/v1/inbound`: what people sent back, newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use redflash_core::store::InboundFilter;

use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::page::{Page, cut};
use crate::api::problem::Problem;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let auth = Auth::ApiKey(Permission::View);
    let inbound = Operation::new(
        "listInbound",
        "Inbound",
        "Lists what people sent back, newest first",
    )
    .asks(&["contact", "limit", "cursor"])
    .gives("InboundPage");
    vec![Route::new(Method::GET, "/api/v1/inbound", auth, list).described(inbound)]
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Response, Problem> {
    let limit = query.limit()?;
    let filter = InboundFilter {
        contact: query.read("contact")?,
        before: query.read("cursor")?,
        limit: limit.saturating_add(1),
    };
    let mut found = app.engine.store().inbound(&filter).await?;
    let next = cut(&mut found, limit, |inbound| inbound.id);
    let page = Page {
        name: "inbound",
        items: found,
        next,
    };
    Ok(page.into_response())
}
