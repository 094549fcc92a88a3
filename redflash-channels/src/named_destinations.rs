//! Destinations that a gateway's table names, each with the secret that posts there: the URL of a room's
//! webhook, an application's token.
//!
//! An endpoint's address is then the name, so that the secret stands in the configuration alone.

use std::collections::BTreeMap;
use std::fmt;

use redflash_core::{Address, AddressError, SendError};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::ConfigError;

/// The places of one gateway.
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
    /// The places of the table at this key, such as `rooms`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] at the place whose name no address can be, or whose secret is empty.
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

    /// The same, where each secret is a URL.
    ///
    /// # Errors
    ///
    /// As of [`new`](Self::new), and at the place whose URL is none.
    pub(crate) fn of_urls(
        key: &'static str,
        secrets: BTreeMap<String, SecretString>,
    ) -> Result<Self, ConfigError> {
        let places = Self::new(key, secrets)?;
        for (name, secret) in &places.secrets {
            if parse_url(secret).is_none() {
                let reason = "it must be a URL that starts with https:// or http://";
                return Err(ConfigError::at(format!("{key}.{name}"), reason));
            }
        }
        Ok(places)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The secret of the place at this address.
    ///
    /// # Errors
    ///
    /// [`SendError::Unroutable`] when this gateway knows no such place.
    pub(crate) fn secret(&self, address: &Address) -> Result<&SecretString, SendError> {
        self.secrets
            .get(address.as_str())
            .ok_or_else(|| SendError::Unroutable {
                reason: format!("{address} is not among the {} of this gateway", self.key),
            })
    }

    /// The URL of the place at this address.
    ///
    /// # Errors
    ///
    /// [`SendError::Unroutable`] when this gateway knows no such place.
    pub(crate) fn url(&self, address: &Address) -> Result<Url, SendError> {
        let url = parse_url(self.secret(address)?);
        Ok(url.expect("every secret was checked to be a URL"))
    }
}

fn parse_url(secret: &SecretString) -> Option<Url> {
    let url = Url::parse(secret.expose_secret()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

const NAMING: &str = "a name is 1 to 64 of a-z, 0-9, - and _";

fn is_name(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(legal)
}

/// Brings the name of a place into its normal form: lower case.
pub(crate) fn parse_name(raw: &str) -> Result<Address, AddressError> {
    let name = raw.trim().to_ascii_lowercase();
    if !is_name(&name) {
        let reason = format!("{raw:?} is no name that a gateway's table can have: {NAMING}");
        return Err(AddressError::new(reason));
    }
    Address::new(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(name: &str, secret: &str) -> Result<NamedDestinations, ConfigError> {
        let secrets = [(name.to_owned(), secret.into())];
        NamedDestinations::of_urls("rooms", secrets.into())
    }

    #[test]
    fn a_place_is_found_by_its_name() {
        let rooms = places("ops", "https://a.example/canary?sig=b%2Fc").unwrap();
        let url = rooms.url(&parse_name(" OPS ").unwrap()).unwrap();
        assert_eq!(url.as_str(), "https://a.example/canary?sig=b%2Fc");
        assert_eq!(format!("{rooms:?}"), r#"{"ops"}"#);
        let unknown = rooms.url(&parse_name("dev").unwrap()).unwrap_err();
        assert!(matches!(unknown, SendError::Unroutable { .. }), "{unknown}");
    }

    #[test]
    fn what_is_no_place_is_refused_without_being_quoted() {
        for (name, secret) in [
            ("ops", ""),
            ("ops", "canary"),
            ("ops", "ftp://a.example/canary"),
            ("Ops", "https://a.example/canary"),
            ("a b", "https://a.example/canary"),
            ("", "https://a.example/canary"),
        ] {
            let error = places(name, secret).unwrap_err();
            assert_eq!(error.key, Some(format!("rooms.{name}")));
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        for bad in ["", "a b", "https://a.example/", "ö", &"a".repeat(65)] {
            assert!(parse_name(bad).is_err(), "{bad} was taken");
        }
    }
}
