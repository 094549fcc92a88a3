//! Logging in through an OpenID provider: the authorization code flow, with PKCE.
//!
//! | step | result |
//! | --- | --- |
//! | [`Provider::begin`] | the authorization URL for the browser, and the [`LoginState`] |
//! | login at the provider | a redirect back with an [`AuthorizationResponse`] |
//! | [`Provider::finish`] | the [`Identity`], from the ID token that the code is exchanged for |
//!
//! The caller keeps the [`LoginState`] where no other party can set it, such as a signed cookie of this
//! browser, and deletes it after use.

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
