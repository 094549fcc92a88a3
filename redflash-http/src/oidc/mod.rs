//! Logging in through an OpenID provider: the authorization code flow, with PKCE.
//!
//! | step | who |
//! | --- | --- |
//! | [`Provider::begin`] | makes the URL that a browser is sent to, and what is to be remembered |
//! | the provider | asks who it is, and sends the browser back with an [`Answer`] |
//! | [`Provider::finish`] | changes the answer's code for an ID token, checks it, and says who it is |
//!
//! The caller keeps what is [`Remembered`] where nobody else can put it, such as an encrypted cookie
//! of this browser, and takes it away once it was used.

mod answer;
mod claims;
mod config;
mod error;
mod exchange;
mod identity;
mod provider;
mod remembered;
#[cfg(test)]
pub(crate) mod simulated;
#[cfg(test)]
mod tests;
mod token;

pub use config::{OidcConfig, UserClaim};

pub(crate) use answer::Answer;
pub(crate) use error::OidcError;
pub(crate) use identity::Identity;
pub(crate) use provider::Provider;
pub(crate) use remembered::Remembered;
