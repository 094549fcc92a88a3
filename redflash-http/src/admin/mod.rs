//! `/admin`: what people see and change in a browser.
//!
//! `view` says how a page is written.

mod arguments;
mod assets;
mod audit;
mod chart;
mod contact;
mod contact_page;
mod csv;
mod deliveries;
mod desk;
mod draft;
mod endpoint;
mod event;
mod event_page;
mod field;
mod flash;
mod form;
mod gateway;
mod gateway_facts;
mod gateway_state;
mod group;
mod guard;
mod helper;
mod history;
mod home;
mod host;
mod inbound;
mod key;
mod key_page;
mod listing;
mod live;
mod log;
mod log_query;
mod login;
mod named;
mod new_password;
mod notification;
mod off;
mod oops;
#[cfg(feature = "oidc")]
mod openid;
mod origin;
mod outcomes;
mod part;
#[cfg(feature = "oidc")]
mod pending;
mod plan;
mod preview;
mod profile;
#[cfg(feature = "oidc")]
mod recognition;
mod referer;
mod refused;
mod rights;
mod roster;
mod samples;
mod search;
mod send;
mod session;
mod switching;
mod tally;
mod targets;
mod throttle;
mod trial;
mod user;
mod user_page;
mod view;
mod wrong_method;

use axum::http::Method;

pub(crate) use guard::guard;
pub(crate) use host::by_known_name;
pub(crate) use listing::compact;
pub(crate) use live::Places;
#[cfg(feature = "oidc")]
pub(crate) use openid::OpenId;
pub(crate) use throttle::Throttle;
pub(crate) use view::Views;
pub(crate) use wrong_method::wrong_method;

use self::oops::Oops;
use crate::route::{Door, Needs, Route};

/// Every URL of the web admin.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![Route::new(
        Method::GET,
        "/admin/assets/{name}",
        Door::Open,
        assets::asset,
    )];
    routes.extend(login::routes());
    #[cfg(feature = "oidc")]
    routes.extend(openid::routes());
    routes.extend(home::routes());
    routes.extend(search::routes());
    routes.extend(audit::routes());
    routes.extend(profile::routes());
    routes.extend(user::routes());
    routes.extend(key::routes());
    routes.extend(contact::routes());
    routes.extend(endpoint::routes());
    routes.extend(trial::routes());
    routes.extend(group::routes());
    routes.extend(event::routes());
    routes.extend(preview::routes());
    routes.extend(log::routes());
    routes.extend(csv::routes());
    routes.extend(notification::routes());
    routes.extend(live::routes());
    routes.extend(send::routes());
    routes.extend(gateway::routes());
    routes.extend(inbound::routes());
    let logged_in = Door::Session(Needs::Any);
    routes.push(Route::any("/admin/{*rest}", logged_in, nowhere));
    routes
}

async fn nowhere() -> Oops {
    Oops::missing("page at this URL")
}
