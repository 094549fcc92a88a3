//! What is state of a login while the provider asks who it is.

use redflash_core::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use subtle::ConstantTimeEq;
use url::Url;

/// A login that has begun.
#[derive(Debug)]
pub(crate) struct BegunLogin {
    /// Where the browser goes next.
    pub(crate) url: Url,
    /// What [`Provider::finish`](crate::oidc::Provider::finish) asks for.
    pub(crate) state: LoginState,
}

/// What ties an answer to the login that was begun. Serialising it exposes the secrets: it is to be
/// kept encrypted, or here.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoginState {
    #[serde(serialize_with = "exposed")]
    pub(crate) state: SecretString,
    #[serde(serialize_with = "exposed")]
    pub(crate) nonce: SecretString,
    #[serde(serialize_with = "exposed")]
    pub(crate) verifier: SecretString,
    pub(crate) begun_at: Timestamp,
}

impl LoginState {
    /// Whether this is the state that was sent along, looked at for equally long whatever it is.
    pub(crate) fn is_state(&self, state: &str) -> bool {
        let own = self.state.expose_secret().as_bytes();
        own.ct_eq(state.as_bytes()).into()
    }
}

fn exposed<S: Serializer>(secret: &SecretString, writer: S) -> Result<S::Ok, S::Error> {
    writer.serialize_str(secret.expose_secret())
}
