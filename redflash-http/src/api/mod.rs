//! `/api/v1`: the REST API.
//!
//! Requests authenticate with an API key in the `Authorization` header. Errors are problem documents.
//! Lists are paginated: `next` of a page is the `cursor` of the next one. Editable resources have a
//! revision in `ETag`; replacing one requires it in `If-Match`.

mod audit;
pub(crate) mod caller;
mod contact;
mod crud;
mod endpoint;
mod event;
mod extract;
mod gateway;
mod group;
mod inbound;
mod key;
mod message;
mod notification;
pub(crate) mod openapi;
mod page;
mod plan;
pub(crate) mod problem;
mod problem_document;
mod raised;
mod status;
mod timestamp;
mod user;

use crate::api::problem::Problem;
use crate::route::{Auth, Route};

/// Returns every route of the API.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = openapi::routes(routes);
    routes.extend(contact::routes());
    routes.extend(endpoint::routes());
    routes.extend(group::routes());
    routes.extend(event::routes());
    routes.extend(message::routes());
    routes.extend(notification::routes());
    routes.extend(inbound::routes());
    routes.extend(gateway::routes());
    routes.extend(status::routes());
    routes.extend(key::routes());
    routes.extend(user::routes());
    routes.extend(audit::routes());
    routes.push(Route::any("/api/{*rest}", Auth::Public, not_found));
    routes
}

async fn not_found() -> Problem {
    Problem::no_such_resource()
}
