//! The configuration of an OpenID provider.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// An OpenID provider, and the mapping of its claims to users.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// The issuer URL, exactly as the provider publishes it.
    pub issuer: String,
    /// The client id at the provider.
    pub client_id: String,
    /// The client secret; `None` for a public client.
    pub client_secret: Option<SecretString>,
    /// Scopes to request in addition to `openid`.
    pub scopes: Vec<String>,
    /// The label of the login button.
    pub label: String,
    /// The claim that names the user.
    pub user_claim: UserClaim,
    /// The claim with the user's role: its name, or a JSON pointer such as `/realm_access/roles`. `None`
    /// if the provider does not assign roles.
    pub role_claim: Option<String>,
    /// Values of the role claim that assign the role admin.
    pub admin_values: Vec<String>,
    /// Values of the role claim that assign the role viewer.
    pub viewer_values: Vec<String>,
    /// True if the first login of an unknown identity creates a user.
    pub create_users: bool,
    /// Time limit for all requests of one login step to the provider.
    pub timeout: Duration,
    /// The HTTP client. It must not follow redirects, which could send codes and tokens elsewhere.
    pub http: reqwest::Client,
}

impl OidcConfig {
    /// The default of `scopes`.
    pub const SCOPES: [&str; 2] = ["profile", "email"];
    /// The default of `timeout`.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
}

/// A claim that can name a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserClaim {
    /// The user name at the provider.
    #[default]
    PreferredUsername,
    /// The email address. An unverified one is not accepted.
    Email,
    /// The provider's id of the user.
    Sub,
}

impl UserClaim {
    /// Returns the name of the claim in a token.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PreferredUsername => "preferred_username",
            Self::Email => "email",
            Self::Sub => "sub",
        }
    }
}
