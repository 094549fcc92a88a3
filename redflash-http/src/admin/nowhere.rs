//! What is no page: other URLs below `/admin`, and methods that a page does not have.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::guard;
use super::oops::Oops;
use super::session;
use crate::front::App;
use crate::route::{Door, Needs, Route};

/// Every URL that no other route has.
pub(super) fn routes() -> Vec<Route> {
    let anybody = Door::Session(Needs::Any);
    vec![Route::any("/admin/{*rest}", anybody, nothing)]
}

async fn nothing() -> Oops {
    Oops::missing("such page")
}

/// The answer to a method that a page does not have.
pub(crate) async fn wrong_method(app: &App, headers: &HeaderMap) -> Response {
    // Whoever asks learns nothing that is not in the table of routes, with a session or without.
    let visitor = session::find(app, headers).await.ok().flatten();
    let text = "Only a form is sent here, from the page it stands on. Nothing was changed.";
    let oops = Oops::new(StatusCode::METHOD_NOT_ALLOWED, "This is no page", text);
    guard::finished(app, visitor.as_ref(), oops.into_response())
}
