//! `/api/v1`: everything that can be seen and changed, in JSON.
//!
//! Who asks is said by an API key in the `Authorization` header. Refusals are problem documents with
//! the status that fits. Lists come in pages: `next` of one is the `cursor` of the following. What can
//! be edited has a revision in `ETag`, and is replaced only by who says in `If-Match` to have seen it.

mod caller;
mod condition;
mod contact;
mod endpoint;
mod input;
mod named;
mod notification;
mod openapi;
mod operation;
mod page;
mod query;
mod resource;

use axum::http::Method;

pub(crate) use caller::{Caller, guard};
pub(crate) use operation::Operation;

use crate::route::{Door, Needs, Route};

/// Every URL of the API.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![Route::new(
        Method::GET,
        "/api/v1/notifications/{id}",
        Door::Key(Needs::Any),
        notification::show,
    )];
    routes.extend(openapi::routes());
    routes.extend(contact::routes());
    routes.extend(endpoint::routes());
    routes
}
