//! Users of the web admin and the API.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::{Name, Slug};

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Login name.
    pub slug: Slug,
    /// Display name.
    pub name: Name,
    /// Permissions.
    pub role: Role,
    /// True if the person can log in. Switching a user off ends the sessions.
    pub enabled: bool,
    /// Subject at the OpenID provider, recorded at the first login through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Issuer of the subject; `None` if it was not recorded yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Hash of the password; a user without one can log in through the OpenID provider only.
    #[serde(skip)]
    pub password: Option<PasswordHash>,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// A user for display, without the hash of the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// Login name.
    pub slug: Slug,
    /// Display name.
    pub name: Name,
    /// Permissions.
    pub role: Role,
    /// True if the person can log in.
    pub enabled: bool,
    /// Subject at the OpenID provider, recorded at the first login through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// True if the person can log in with a password.
    pub has_password: bool,
}

/// The permissions of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May read everything that is not secret, and change nothing.
    Viewer,
    /// May read and change everything.
    Admin,
}

/// Hash of a password, as a PHC string such as `$argon2id$v=19$…`.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

/// Error for a text that is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is viewer or admin")]
pub struct RoleError;

impl User {
    /// Creates a user that is on and has no password yet.
    pub const fn new(slug: Slug, name: Name, role: Role, now: Timestamp) -> Self {
        Self {
            slug,
            name,
            role,
            enabled: true,
            subject: None,
            issuer: None,
            password: None,
            created_at: now,
        }
    }
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            slug: user.slug.clone(),
            name: user.name.clone(),
            role: user.role,
            enabled: user.enabled,
            subject: user.subject.clone(),
            created_at: user.created_at,
            has_password: user.password.is_some(),
        }
    }
}

impl UserView {
    /// Returns the login methods as text.
    pub const fn logs_in_by(&self) -> &'static str {
        match (self.has_password, &self.subject) {
            (true, Some(_)) => "password or OpenID",
            (true, None) => "password",
            (false, Some(_)) => "OpenID",
            (false, None) => "nothing yet",
        }
    }
}

impl Role {
    /// Returns the role as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "admin" => Ok(Self::Admin),
            _ => Err(RoleError),
        }
    }
}

impl PasswordHash {
    /// Wraps an existing hash.
    pub fn new(phc: impl Into<String>) -> Self {
        Self(SecretString::from(phc.into()))
    }

    /// Returns the PHC string, for stores and for password checks.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash([REDACTED])")
    }
}

impl PartialEq for PasswordHash {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for PasswordHash {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_a_password_hash() {
        let (slug, name) = (Slug::parse("ann").unwrap(), Name::parse("Ann").unwrap());
        let mut user = User::new(slug, name, Role::Admin, Timestamp::default());
        user.password = Some(PasswordHash::new("$argon2id$canary"));
        assert!(!format!("{user:?}").contains("canary"));
        let json = serde_json::to_string(&user).unwrap();
        assert!(!json.contains("canary"), "{json}");
    }

    #[test]
    fn parses_its_own_roles() {
        for role in [Role::Viewer, Role::Admin] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(RoleError));
        assert!(Role::Viewer < Role::Admin);
    }
}
