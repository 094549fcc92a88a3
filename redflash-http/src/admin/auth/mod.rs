//! TODO: one line.

#[cfg(feature = "oidc")]
pub(crate) mod account_link;
pub(crate) mod guard;
pub(crate) mod host;
pub(crate) mod login;
#[cfg(feature = "oidc")]
pub(crate) mod login_state;
#[cfg(feature = "oidc")]
pub(crate) mod oidc;
pub(crate) mod origin;
pub(crate) mod session;
pub(crate) mod throttle;
