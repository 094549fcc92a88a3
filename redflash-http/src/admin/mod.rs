//! `/admin`: what people see and change in a browser.
//!
//! `view` says how a page is written.

#![expect(dead_code, reason = "the pages that use it come next")]

mod assets;
mod chart;
mod desk;
mod field;
mod form;
mod guard;
mod helper;
mod oops;
mod origin;
mod part;
mod session;
mod view;

use axum::http::Method;

pub(crate) use guard::guard;
pub(crate) use view::Views;

use crate::route::{Door, Route};

/// Every URL of the web admin.
pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        "/admin/assets/{name}",
        Door::Open,
        assets::asset,
    )]
}
