//! Who has logged in.

use redflash_core::Role;
use serde_json::Value;

use crate::oidc::claims::Claims;
use crate::oidc::config::{OidcConfig, UserClaim};
use crate::oidc::error::OidcError;

/// Who has logged in, by what the provider says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The provider. Another one may call another person by the same id.
    pub(crate) issuer: String,
    /// The provider's own id of the user, which never changes and is never given to another.
    pub(crate) subject: String,
    /// What the user is called.
    pub(crate) name: Option<String>,
    /// The value of the claim that names the user.
    pub(crate) user: String,
    /// What the user may do; `None` where the provider has no say, or says nothing that is known.
    pub(crate) role: Option<Role>,
}

/// Whether the claims say all that is asked of them.
pub(crate) fn is_complete(claims: &Claims, config: &OidcConfig) -> bool {
    let role = config.role_claim.as_deref();
    claims.text(config.user_claim.as_str()).is_some()
        && role.is_none_or(|claim| claims.get(claim).is_some())
}

impl Identity {
    /// # Errors
    ///
    /// * [`OidcError::Nameless`] - the claim that names the user is missing.
    /// * [`OidcError::Untrusted`] - the mailbox that names the user is unverified.
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
        if config.user_claim == UserClaim::Email && verified.is_some_and(is_no) {
            let reason = "the user's mailbox is not verified".to_owned();
            return Err(OidcError::Untrusted(reason));
        }
        let role = config.role_claim.as_deref();
        let said = role.and_then(|claim| claims.get(claim));
        Ok(Self {
            issuer: config.issuer.clone(),
            subject,
            name: claims.text("name").map(str::to_owned),
            user: user.to_owned(),
            role: said.and_then(|said| role_of(said, config)),
        })
    }
}

/// Some providers write their switches as texts.
fn is_no(value: &Value) -> bool {
    !(*value == Value::Bool(true) || value == "true")
}

/// The role that a claim gives, whether it holds one value or several. The higher one counts.
fn role_of(said: &Value, config: &OidcConfig) -> Option<Role> {
    let values = said
        .as_array()
        .map_or(std::slice::from_ref(said), Vec::as_slice);
    let says = |wanted: &[String]| {
        let mut values = values.iter().filter_map(Value::as_str);
        values.any(|value| wanted.iter().any(|wanted| wanted == value))
    };
    if says(&config.admin_values) {
        Some(Role::Admin)
    } else if says(&config.viewer_values) {
        Some(Role::Viewer)
    } else {
        None
    }
}
