//! `/admin`: the web admin. [`ui::templates`] describes how a page is written.

mod audit;
pub(crate) mod auth;
pub(crate) mod contact;
mod crud;
pub(crate) mod dashboard;
pub(crate) mod event;
pub(crate) mod gateway;
mod group;
mod inbound;
pub(crate) mod key;
pub(crate) mod log;
mod profile;
mod search;
mod send;
pub(crate) mod ui;
pub(crate) mod urls;
pub(crate) mod user;

use axum::http::Method;
use redflash_core::model::{ApiKey, Contact, Event, Group, User};

use crate::admin::ui::page_error::PageError;
use crate::route::{Auth, Permission, Route};

/// Returns all routes of the web admin.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![Route::new(
        Method::GET,
        "/admin/assets/{name}",
        Auth::Public,
        ui::assets::asset,
    )];
    routes.extend(auth::login::routes());
    #[cfg(feature = "oidc")]
    routes.extend(auth::oidc::routes());
    routes.extend(dashboard::home::routes());
    routes.extend(search::routes());
    routes.extend(audit::routes());
    routes.extend(profile::routes());
    routes.extend(crud::routes::<User>());
    routes.extend(user::page::routes());
    routes.extend(crud::routes::<ApiKey>());
    routes.extend(crud::routes::<Contact>());
    routes.extend(contact::endpoint::routes());
    routes.extend(contact::endpoint_test::routes());
    routes.extend(crud::routes::<Group>());
    routes.extend(crud::routes::<Event>());
    routes.extend(event::page::routes());
    routes.extend(log::list::routes());
    routes.extend(log::csv::routes());
    routes.extend(log::notification::routes());
    routes.extend(log::stream::routes());
    routes.extend(send::routes());
    routes.extend(gateway::list::routes());
    routes.extend(inbound::routes());
    let logged_in = Auth::Session(Permission::Any);
    routes.push(Route::any("/admin/{*rest}", logged_in, not_found));
    routes
}

async fn not_found() -> PageError {
    PageError::missing("page at this URL")
}
