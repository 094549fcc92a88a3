//! Answers unsupported methods below `/admin`.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::admin::auth::guard;
use crate::admin::auth::session;
use crate::admin::ui::page_error::PageError;
use crate::app::App;

/// Returns an error page with status 405.
pub(crate) async fn wrong_method(app: &App, headers: &HeaderMap) -> Response {
    // The answer is the same with and without a session: it reveals the table of routes alone.
    let visitor = session::find(app, headers).await.ok().flatten();
    let text = "This URL accepts only form submissions. Nothing was changed.";
    let error = PageError::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", text);
    guard::finish(app, visitor.as_ref(), error.into_response())
}
