//! `/api/v1`: everything that can be seen and changed, in JSON.
//!
//! Who asks is said by an API key in the `Authorization` header. Refusals are problem documents with
//! the status that fits. Lists come in pages: `next` of one is the `cursor` of the following. What can
//! be edited has a revision in `ETag`, and is replaced only by who says in `If-Match` to have seen it.

pub(crate) mod audit;
pub(crate) mod caller;
mod contact;
mod edit;
mod endpoint;
mod event;
pub(crate) mod extract;
mod gateway;
mod group;
mod inbound;
mod key;
mod message;
mod notification;
pub(crate) mod openapi;
mod page;
mod preview;
pub(crate) mod problem;
mod resource;
mod status;
pub(crate) mod timestamp;
mod user;

pub(crate) use caller::Caller;

use crate::api::problem::Problem;
use crate::route::{Auth, Route};

/// Every URL of the API.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = openapi::routes();
    routes.extend(contact::routes());
    routes.extend(endpoint::routes());
    routes.extend(group::routes());
    routes.extend(event::routes());
    routes.extend(message::routes());
    routes.extend(preview::routes());
    routes.extend(notification::routes());
    routes.extend(inbound::routes());
    routes.extend(gateway::routes());
    routes.extend(status::routes());
    routes.extend(key::routes());
    routes.extend(user::routes());
    routes.extend(audit::routes());
    routes.push(Route::any("/api/{*rest}", Auth::Public, nowhere));
    routes
}

async fn nowhere() -> Problem {
    Problem::no_such_resource()
}
