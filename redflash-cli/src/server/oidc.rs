//! The OpenID provider, as the server is told of it.

use redflash_http::OidcConfig;

use crate::config::Oidc;
use crate::error::{CliError, Exit};
use crate::http_client::http_client;

/// What the configuration says of the provider, with the client that asks it.
///
/// # Errors
///
/// Says why this machine has no HTTP client.
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
