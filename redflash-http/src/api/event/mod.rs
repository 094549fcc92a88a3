//! `/api/v1/events`, and the preview of an event that is being edited.

mod dto;
mod preview;
mod routes;

use crate::route::Route;

/// Returns the routes of events.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = routes::routes();
    routes.extend(preview::routes());
    routes
}
