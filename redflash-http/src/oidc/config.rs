//! Which provider says who somebody is, and what is made of it.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// An OpenID provider, and what is made of what it says.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// The provider's URL, exactly as it calls itself.
    pub issuer: String,
    /// Our name with the provider.
    pub client_id: String,
    /// What proves it; `None` for a public client.
    pub client_secret: Option<SecretString>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// What the button says that leads to the provider.
    pub label: String,
    /// The claim that names the user.
    pub user_claim: UserClaim,
    /// The claim that says what the user may do: its name, or a pointer to it within other claims,
    /// such as `/realm_access/roles`. `None` where the provider has no say in that.
    pub role_claim: Option<String>,
    /// The values of the role claim that make an admin.
    pub admin_values: Vec<String>,
    /// The values of the role claim that make a viewer.
    pub viewer_values: Vec<String>,
    /// Whether somebody who has not logged in before becomes a user.
    pub create_users: bool,
    /// How long the provider may take for everything that one step asks of it.
    pub timeout: Duration,
    /// Sends our requests. It must follow no redirects: they would carry codes and tokens elsewhere.
    pub http: reqwest::Client,
}

impl OidcConfig {
    /// What is asked for where nothing else is said.
    pub const SCOPES: [&str; 2] = ["profile", "email"];
    /// How long a provider may take where nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
}

/// A claim that can name a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserClaim {
    /// The name that the user goes by with the provider.
    #[default]
    PreferredUsername,
    /// The user's mailbox. One that the provider calls unverified names nobody.
    Email,
    /// The provider's own id of the user.
    Sub,
}

impl UserClaim {
    /// The claim's name in a token.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PreferredUsername => "preferred_username",
            Self::Email => "email",
            Self::Sub => "sub",
        }
    }
}
