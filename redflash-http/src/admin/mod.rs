//! `/admin`: what people see and change in a browser.
//!
//! `view` says how a page is written.

mod arguments;
mod assets;
mod chart;
mod contact;
mod contact_page;
mod csv;
mod deliveries;
mod desk;
mod endpoint;
mod field;
mod form;
mod gateway;
mod gateway_facts;
mod guard;
mod helper;
mod history;
mod inbound;
mod listing;
mod live;
mod log;
mod log_query;
mod named;
mod notification;
mod oops;
mod origin;
mod outcomes;
mod part;
mod plan;
mod referer;
mod refused;
mod roster;
mod send;
mod session;
mod switching;
mod tally;
mod targets;
mod trial;
mod view;

use axum::http::Method;

pub(crate) use guard::guard;
pub(crate) use live::Places;
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
    routes.extend(log::routes());
    routes.extend(csv::routes());
    routes.extend(notification::routes());
    routes.extend(live::routes());
    routes.extend(send::routes());
    routes.extend(gateway::routes());
    routes.extend(inbound::routes());
    routes
}
