//! Methods that a URL below `/admin` does not have.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::admin::auth::guard;
use crate::admin::auth::session;
use crate::admin::ui::page_error::PageError;
use crate::app::App;

/// Says so, in a page.
pub(crate) async fn wrong_method(app: &App, headers: &HeaderMap) -> Response {
    // Whoever asks learns nothing that is not in the table of routes, with a session or without.
    let visitor = session::find(app, headers).await.ok().flatten();
    let text = "This URL accepts only form submissions. Nothing was changed.";
    let oops = PageError::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", text);
    guard::finished(app, visitor.as_ref(), oops.into_response())
}
