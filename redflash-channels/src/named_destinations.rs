//! Named destinations of a gateway, each with the secret that posts there: the URL of a room's webhook,
//! or an application's token.
//!
//! An endpoint's address is the name, so that only the configuration holds the secret.

use std::collections::BTreeMap;
use std::fmt;

use redflash_core::message::SendError;
use redflash_core::model::{Address, AddressError};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::ConfigError;

/// The named destinations of one gateway.
#[derive(Clone)]
pub(crate) struct NamedDestinations {
    key: &'static str,
    secrets: BTreeMap<String, SecretString>,
}

impl fmt::Debug for NamedDestinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.secrets.keys()).finish()
    }
}

impl NamedDestinations {
    /// Creates the destinations from the table at a key such as `rooms`.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] at a destination with an invalid name or an empty secret.
    pub(crate) fn new(
        key: &'static str,
        secrets: BTreeMap<String, SecretString>,
    ) -> Result<Self, ConfigError> {
        for (name, secret) in &secrets {
            let at = || format!("{key}.{name}");
            if !is_name(name) {
                return Err(ConfigError::at(at(), NAMING));
            }
            if secret.expose_secret().is_empty() {
                return Err(ConfigError::at(at(), "it must not be empty"));
            }
        }
        Ok(Self { key, secrets })
    }

    /// Creates destinations whose secrets are URLs.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`new`](Self::new), and a [`ConfigError`] at a destination with an invalid
    /// URL.
    pub(crate) fn of_urls(
        key: &'static str,
        secrets: BTreeMap<String, SecretString>,
    ) -> Result<Self, ConfigError> {
        let destinations = Self::new(key, secrets)?;
        for (name, secret) in &destinations.secrets {
            if parse_url(secret).is_none() {
                let reason = "it must be a URL that starts with https:// or http://";
                return Err(ConfigError::at(format!("{key}.{name}"), reason));
            }
        }
        Ok(destinations)
    }

    /// Returns true if there are no destinations.
    pub(crate) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Returns the secret of a destination.
    ///
    /// # Errors
    ///
    /// Returns [`SendError::Unroutable`] if this gateway has no such destination.
    pub(crate) fn secret(&self, address: &Address) -> Result<&SecretString, SendError> {
        self.secrets
            .get(address.as_str())
            .ok_or_else(|| SendError::Unroutable {
                reason: format!("{address} is not in the table {} of this gateway", self.key),
            })
    }

    /// Returns the URL of a destination.
    ///
    /// # Errors
    ///
    /// Returns [`SendError::Unroutable`] if this gateway has no such destination.
    pub(crate) fn url(&self, address: &Address) -> Result<Url, SendError> {
        let url = parse_url(self.secret(address)?);
        Ok(url.expect("every secret was checked to be a URL"))
    }
}

fn parse_url(secret: &SecretString) -> Option<Url> {
    let url = Url::parse(secret.expose_secret()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

const NAMING: &str = "a name has 1 to 64 characters of a-z, 0-9, - and _";

fn is_name(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(legal)
}

/// Normalizes the name of a destination to lower case.
pub(crate) fn parse_name(raw: &str) -> Result<Address, AddressError> {
    let name = raw.trim().to_ascii_lowercase();
    if !is_name(&name) {
        let reason = format!("{raw:?} is not a valid name: {NAMING}");
        return Err(AddressError::new(reason));
    }
    Address::new(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destinations(name: &str, secret: &str) -> Result<NamedDestinations, ConfigError> {
        let secrets = [(name.to_owned(), secret.into())];
        NamedDestinations::of_urls("rooms", secrets.into())
    }

    #[test]
    fn finds_destination_by_name() {
        let rooms = destinations("ops", "https://a.example/canary?sig=b%2Fc").unwrap();
        let url = rooms.url(&parse_name(" OPS ").unwrap()).unwrap();
        assert_eq!(url.as_str(), "https://a.example/canary?sig=b%2Fc");
        assert_eq!(format!("{rooms:?}"), r#"{"ops"}"#);
        let unknown = rooms.url(&parse_name("dev").unwrap()).unwrap_err();
        assert!(matches!(unknown, SendError::Unroutable { .. }), "{unknown}");
    }

    #[test]
    fn rejects_invalid_destinations_without_quoting_secrets() {
        for (name, secret) in [
            ("ops", ""),
            ("ops", "canary"),
            ("ops", "ftp://a.example/canary"),
            ("Ops", "https://a.example/canary"),
            ("a b", "https://a.example/canary"),
            ("", "https://a.example/canary"),
        ] {
            let error = destinations(name, secret).unwrap_err();
            assert_eq!(error.key, Some(format!("rooms.{name}")));
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        for bad in ["", "a b", "https://a.example/", "ö", &"a".repeat(65)] {
            assert!(parse_name(bad).is_err(), "{bad} was accepted");
        }
    }
}
