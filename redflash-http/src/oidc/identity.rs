//! The identity of a user who has logged in.

use redflash_core::model::Role;
use serde_json::Value;

use crate::oidc::claims::Claims;
use crate::oidc::config::{OidcConfig, UserClaim};
use crate::oidc::error::OidcError;

/// The identity of a user, from the claims of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The provider. Another provider may give the same id to another person.
    pub(crate) issuer: String,
    /// The provider's id of the user, which never changes and is never reused.
    pub(crate) subject: String,
    /// The display name.
    pub(crate) name: Option<String>,
    /// The value of the user claim.
    pub(crate) user: String,
    /// The role; `None` if the provider assigns none that is configured.
    pub(crate) role: Option<Role>,
}

/// Returns true if the claims include all that the configuration needs.
pub(crate) fn is_complete(claims: &Claims, config: &OidcConfig) -> bool {
    let role = config.role_claim.as_deref();
    claims.text(config.user_claim.as_str()).is_some()
        && role.is_none_or(|claim| claims.get(claim).is_some())
}

impl Identity {
    /// # Errors
    ///
    /// * [`OidcError::Nameless`] - the user claim is missing.
    /// * [`OidcError::Untrusted`] - the user claim is an unverified email address.
    pub(crate) fn new(
        subject: String,
        claims: &Claims,
        config: &OidcConfig,
    ) -> Result<Self, OidcError> {
        let claim = config.user_claim.as_str();
        let user = claims.text(claim).ok_or_else(|| OidcError::Nameless {
            claim,
            present: claims.names(),
        })?;
        let verified = claims.get("email_verified");
        if config.user_claim == UserClaim::Email && verified.is_some_and(is_false) {
            let reason = "the user's email address is not verified".to_owned();
            return Err(OidcError::Untrusted(reason));
        }
        let role = config.role_claim.as_deref();
        let value = role.and_then(|claim| claims.get(claim));
        Ok(Self {
            issuer: config.issuer.clone(),
            subject,
            name: claims.text("name").map(str::to_owned),
            user: user.to_owned(),
            role: value.and_then(|value| role_of(value, config)),
        })
    }
}

/// Returns true unless a claim is true. Some providers send booleans as strings.
fn is_false(value: &Value) -> bool {
    !(*value == Value::Bool(true) || value == "true")
}

/// Returns the role of a claim with one value or several. The highest counts.
fn role_of(claim: &Value, config: &OidcConfig) -> Option<Role> {
    let values = claim
        .as_array()
        .map_or(std::slice::from_ref(claim), Vec::as_slice);
    let has = |wanted: &[String]| {
        let mut values = values.iter().filter_map(Value::as_str);
        values.any(|value| wanted.iter().any(|wanted| wanted == value))
    };
    if has(&config.admin_values) {
        Some(Role::Admin)
    } else if has(&config.viewer_values) {
        Some(Role::Viewer)
    } else {
        None
    }
}
