//! Errors of a gateway's configuration.

use std::fmt;

/// An error of a gateway's configuration, with the key it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key, such as `port` or `allow_networks[0]`; `None` if it concerns the whole table.
    pub key: Option<String>,
    /// The problem and its solution. Never holds the value of a secret.
    pub reason: String,
}

impl ConfigError {
    /// Creates an error at a key.
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
