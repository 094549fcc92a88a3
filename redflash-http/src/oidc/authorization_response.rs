//! What a browser brings back from the provider.

use std::time::Duration;

use redflash_core::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::oidc::{LoginState, OidcError};

/// How long somebody may take to log in at the provider.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The longest text of the provider that is passed on.
const MAX_TEXT: usize = 200;

/// The query of the URL to which the provider sends a browser back.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct AuthorizationResponse {
    code: Option<SecretString>,
    state: Option<SecretString>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl AuthorizationResponse {
    /// The code, if this answers the login that is state.
    ///
    /// # Errors
    ///
    /// * [`OidcError::Stale`] - it answers no login, or another one, or comes too late.
    /// * [`OidcError::Untrusted`] - it comes from another provider.
    /// * [`OidcError::Denied`] - the provider has logged nobody in.
    pub(crate) fn code(
        self,
        login: &LoginState,
        issuer: &str,
        now: Timestamp,
    ) -> Result<SecretString, OidcError> {
        let state = self.state.unwrap_or_default();
        if !login.is_state(state.expose_secret()) {
            let reason = "the answer belongs to no login that was begun in this browser";
            return Err(OidcError::Stale(reason));
        }
        if now.since(login.begun_at) > LONGEST {
            return Err(OidcError::Stale("the login took longer than 15 minutes"));
        }
        if self.iss.is_some_and(|other| other != issuer) {
            let reason = format!("the answer comes from another provider than {issuer}");
            return Err(OidcError::Untrusted(reason));
        }
        if let Some(error) = self.error {
            let told = self.error_description.map_or_else(String::new, |text| {
                format!(": {}", text.chars().take(MAX_TEXT).collect::<String>())
            });
            let error: String = error.chars().take(MAX_TEXT).collect();
            return Err(OidcError::Denied(format!("{error}{told}")));
        }
        self.code
            .ok_or(OidcError::Stale("the provider's answer holds no code"))
    }
}
