//! The state of a login during the visit to the provider.

use redflash_core::clock::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use subtle::ConstantTimeEq;
use url::Url;

/// A login that has started.
#[derive(Debug)]
pub(crate) struct BegunLogin {
    /// The authorization URL.
    pub(crate) url: Url,
    /// The state for [`Provider::finish`](crate::oidc::Provider::finish).
    pub(crate) state: LoginState,
}

/// The secrets that tie a response to its login. Serializing exposes them, so the result must be kept
/// where only this server and this browser can read it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoginState {
    #[serde(serialize_with = "expose")]
    pub(crate) state: SecretString,
    #[serde(serialize_with = "expose")]
    pub(crate) nonce: SecretString,
    #[serde(serialize_with = "expose")]
    pub(crate) verifier: SecretString,
    pub(crate) begun_at: Timestamp,
}

impl LoginState {
    /// Returns true if `state` is the `state` parameter of this login, in constant time.
    pub(crate) fn is_state(&self, state: &str) -> bool {
        let own = self.state.expose_secret().as_bytes();
        own.ct_eq(state.as_bytes()).into()
    }
}

fn expose<S: Serializer>(secret: &SecretString, writer: S) -> Result<S::Ok, S::Error> {
    writer.serialize_str(secret.expose_secret())
}
