//! Logging in through an OpenID provider: the authorization code flow, with PKCE.
//!
//! | step | who |
//! | --- | --- |
//! | [`Provider::begin`] | makes the URL that a browser is sent to, and what is to be state |
//! | the provider | asks who it is, and sends the browser back with an [`AuthorizationResponse`] |
//! | [`Provider::finish`] | changes the answer's code for an ID token, checks it, and says who it is |
//!
//! The caller keeps what is [`LoginState`] where nobody else can put it, such as an encrypted cookie
//! of this browser, and takes it away once it was used.

pub(crate) mod authorization_response;
mod claims;
mod config;
mod error;
pub(crate) mod http;
mod identity;
pub(crate) mod login_state;
#[cfg(test)]
pub(crate) mod mock_provider;
mod provider;
#[cfg(test)]
mod tests;
mod token;

pub use config::{OidcConfig, UserClaim};

pub(crate) use authorization_response::AuthorizationResponse;
pub(crate) use error::OidcError;
pub(crate) use identity::Identity;
pub(crate) use login_state::LoginState;
pub(crate) use provider::Provider;
