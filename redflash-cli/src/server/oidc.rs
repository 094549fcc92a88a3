//! The OpenID provider.

use redflash_http::OidcConfig;

use crate::config::Oidc;
use crate::error::{CliError, Exit};
use crate::http_client::http_client;

/// Returns the configured provider with an HTTP client.
///
/// # Errors
///
/// Returns an error if the HTTP client cannot be created.
pub(crate) fn provider(oidc: &Oidc) -> Result<OidcConfig, CliError> {
    let http = http_client();
    let http = http.map_err(|error| CliError::new(Exit::Failed, format!("admin.oidc: {error}")))?;
    Ok(OidcConfig {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: oidc.client_secret.clone().map(|secret| secret.0),
        scopes: oidc.scopes.clone(),
        label: oidc.label.clone(),
        user_claim: oidc.user_claim,
        role_claim: oidc.role_claim.clone(),
        admin_values: oidc.admin_values.clone(),
        viewer_values: oidc.viewer_values.clone(),
        create_users: oidc.create_users,
        timeout: oidc.timeout,
        http,
    })
}
