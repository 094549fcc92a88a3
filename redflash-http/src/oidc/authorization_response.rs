//! The response that the provider sends through the browser.

use std::time::Duration;

use redflash_core::clock::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::oidc::{LoginState, OidcError};

/// Time limit for a login at the provider.
const MAX_LOGIN_TIME: Duration = Duration::from_secs(15 * 60);
/// Maximum length of a text of the provider that is passed on.
const MAX_TEXT: usize = 200;

/// The query of the redirect URI.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct AuthorizationResponse {
    code: Option<SecretString>,
    state: Option<SecretString>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl AuthorizationResponse {
    /// Returns the authorization code, if the response belongs to a login.
    ///
    /// # Errors
    ///
    /// * [`OidcError::Stale`] - it belongs to no login or another one, or arrives too late.
    /// * [`OidcError::Untrusted`] - it comes from another provider.
    /// * [`OidcError::Denied`] - the provider refused the login.
    pub(crate) fn code(
        self,
        login: &LoginState,
        issuer: &str,
        now: Timestamp,
    ) -> Result<SecretString, OidcError> {
        let state = self.state.unwrap_or_default();
        if !login.is_state(state.expose_secret()) {
            let reason = "the response belongs to no login that was started in this browser";
            return Err(OidcError::Stale(reason));
        }
        if now.since(login.begun_at) > MAX_LOGIN_TIME {
            return Err(OidcError::Stale("the login took longer than 15 minutes"));
        }
        if self.iss.is_some_and(|other| other != issuer) {
            let reason = format!("the response comes from another provider than {issuer}");
            return Err(OidcError::Untrusted(reason));
        }
        if let Some(error) = self.error {
            let description = self.error_description.map_or_else(String::new, |text| {
                format!(": {}", text.chars().take(MAX_TEXT).collect::<String>())
            });
            let error: String = error.chars().take(MAX_TEXT).collect();
            return Err(OidcError::Denied(format!("{error}{description}")));
        }
        self.code
            .ok_or(OidcError::Stale("the provider's response has no code"))
    }
}
