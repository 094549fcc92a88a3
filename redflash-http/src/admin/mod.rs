//! `/admin`: what people see and change in a browser.
//!
//! `view` says how a page is written.

mod assets;
mod chart;
mod contact;
mod contact_page;
mod desk;
mod draft;
mod endpoint;
mod event;
mod event_page;
mod field;
mod form;
mod group;
mod guard;
mod helper;
mod history;
mod listing;
mod named;
mod oops;
mod origin;
mod part;
mod plan;
mod preview;
mod referer;
mod refused;
mod roster;
mod samples;
mod session;
mod switching;
mod trial;
mod view;

use axum::http::Method;

pub(crate) use guard::guard;
pub(crate) use view::Views;

use crate::route::{Door, Route};

/// Every URL of the web admin.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![Route::new(
        Method::GET,
        "/admin/assets/{name}",
        Door::Open,
        assets::asset,
    )];
    routes.extend(contact::routes());
    routes.extend(endpoint::routes());
    routes.extend(trial::routes());
    routes.extend(group::routes());
    routes.extend(event::routes());
    routes.extend(preview::routes());
    routes
}
