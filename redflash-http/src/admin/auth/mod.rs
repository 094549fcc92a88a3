//! Access to the web admin: sessions, logins, and the guards before its pages.

#[cfg(feature = "oidc")]
pub(crate) mod account_link;
pub(crate) mod cookie;
pub(crate) mod guard;
pub(crate) mod host;
pub(crate) mod login;
#[cfg(feature = "oidc")]
pub(crate) mod login_state;
#[cfg(feature = "oidc")]
pub(crate) mod oidc;
pub(crate) mod origin;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod throttle;
