//! What can be wrong with a gateway's configuration.

use std::fmt;

/// What is wrong with a gateway's configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key, such as `port` or `allow_networks[0]`; `None` when it is about the whole table.
    pub key: Option<String>,
    /// What is wrong with it and what would be right. Never holds the value of a secret.
    pub reason: String,
}

impl ConfigError {
    /// Something is wrong with this key.
    pub fn at(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ConfigError {}
