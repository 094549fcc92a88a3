//! Signatures of Twilio's callbacks.
//!
//! `X-Twilio-Signature` is the base64 of an HMAC over the URL, followed in a form by each parameter's
//! name and value, sorted. The key is the account's token with SHA-1, or, if
//! `X-Twilio-Webhooks-Signature-Settings` names a shared key, that key with the algorithm it names
//! (SHA-1 by default). It does not cover a time.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redflash_core::gateway::{Callback, CallbackError};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::Sha256;
use url::form_urlencoded;

use super::TwilioConfig;
use crate::ConfigError;
use crate::crypto::hmac;

/// A function that computes the HMAC of a message with a key.
type Hmac = fn(&[u8], &[u8]) -> Vec<u8>;

/// The keys that may sign callbacks.
pub(super) struct SigningKeys {
    /// The account's token, and the previous one.
    tokens: Vec<SecretString>,
    /// The shared key's id and secret.
    shared: Option<(String, SecretString)>,
}

impl SigningKeys {
    pub(super) fn new(config: &TwilioConfig) -> Result<Self, ConfigError> {
        let shared = match (&config.shared_key_id, &config.shared_key_secret) {
            (None, None) => None,
            (Some(id), Some(secret)) if !secret.expose_secret().is_empty() => {
                Some((id.clone(), secret.clone()))
            }
            _ => {
                let reason = "a shared key needs both shared_key_id and shared_key_secret";
                return Err(ConfigError::at("shared_key_id", reason));
            }
        };
        let previous = config.previous_auth_token.clone();
        let previous = previous.filter(|token| !token.expose_secret().is_empty());
        Ok(Self {
            tokens: [config.auth_token.clone()]
                .into_iter()
                .chain(previous)
                .collect(),
            shared,
        })
    }

    /// Checks the signature of a callback.
    pub(super) fn check(&self, callback: &Callback<'_>) -> Result<(), CallbackError> {
        let refuse = |reason: &'static str| Err(CallbackError::Signature(reason.into()));
        let Some(signature) = callback.header("x-twilio-signature") else {
            return refuse("it is missing");
        };
        let settings = callback.header("x-twilio-webhooks-signature-settings");
        let (keys, hmac): (&[SecretString], Hmac) = match settings {
            None => (&self.tokens, hmac::hmac::<Sha1>),
            Some(settings) => match &self.shared {
                Some((id, key)) if setting(settings, "key") == Some(id) => {
                    let hmac = match setting(settings, "algorithm") {
                        Some("HMAC_SHA256") => hmac::hmac::<Sha256>,
                        Some("HMAC_SHA1") | None => hmac::hmac::<Sha1>,
                        Some(_) => return refuse("its algorithm is unknown"),
                    };
                    (std::slice::from_ref(key), hmac)
                }
                _ => return refuse("its shared key is unknown"),
            },
        };
        let parameters = parameters(callback);
        for url in spellings(callback.url) {
            let text = format!("{url}{parameters}");
            for key in keys {
                let code = hmac(key.expose_secret().as_bytes(), text.as_bytes());
                if hmac::equal(&BASE64_STANDARD.encode(code), signature) {
                    return Ok(());
                }
            }
        }
        refuse("it does not match this account, URL and form")
    }
}

/// Returns a value of `key=<id>,algorithm=HMAC_SHA256`.
fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    let pairs = settings.split(',');
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    Some(pairs.find(|(key, _)| *key == name)?.1)
}

/// Returns the parameters of a form as they are signed: sorted, without duplicates, and concatenated.
fn parameters(callback: &Callback<'_>) -> String {
    if callback.method != "POST" {
        return String::new();
    }
    let parameters: BTreeSet<_> = form_urlencoded::parse(callback.body).collect();
    let parameters = parameters.iter();
    parameters
        .flat_map(|(name, value)| [&**name, &**value])
        .collect()
}

/// Returns a URL with and without its port, since Twilio is inconsistent about which of them it signs.
fn spellings(url: &str) -> Vec<String> {
    let mut spellings = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return spellings;
    };
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let port = host.rsplit_once(':');
    let port = port.filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    spellings.push(match (port, scheme) {
        (Some((host, _)), _) => format!("{scheme}://{host}{path}"),
        (None, "http") => format!("{scheme}://{host}:80{path}"),
        (None, _) => format!("{scheme}://{host}:443{path}"),
    });
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vector of the vendor's documents and libraries; the last two are made with OpenSSL.
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const FORM: &str = "To=%2B18005551212&Digits=1234&CallSid=CA1234567890ABCDE\
        &From=%2B14158675309&Caller=%2B14158675309";
    const SHA1: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    const SHA256: &str = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s=";
    const URL_ALONE: &str = "zYQTYrRWXE7LtzbG4PfP7/bkkGo=";

    const SIGNATURE: &str = "x-twilio-signature";
    const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

    fn token(tokens: &[&str]) -> SigningKeys {
        SigningKeys {
            tokens: tokens.iter().map(|token| (*token).into()).collect(),
            shared: None,
        }
    }

    fn shared(key: &str) -> SigningKeys {
        SigningKeys {
            shared: Some(("WK01".into(), key.into())),
            ..token(&["other"])
        }
    }

    fn is_valid(keys: &SigningKeys, callback: Callback<'_>, headers: &[(&str, &str)]) -> bool {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers: Vec<_> = headers.iter().map(own).collect();
        let callback = Callback {
            headers: &headers,
            ..callback
        };
        match keys.check(&callback) {
            Ok(()) => true,
            Err(CallbackError::Signature(_)) => false,
            Err(other) => panic!("{other}"),
        }
    }

    const fn posted<'a>(url: &'a str, form: &'a str) -> Callback<'a> {
        Callback {
            method: "POST",
            url,
            fields: &[],
            headers: &[],
            body: form.as_bytes(),
        }
    }

    #[test]
    fn accepts_only_the_vendors_signatures() {
        let (sha1, sha256) = ((SIGNATURE, SHA1), (SIGNATURE, SHA256));
        let by_token = token(&["12345"]);
        let by_previous = token(&["other", "12345"]);
        let by_key = shared("12345");
        let named = |settings| (SETTINGS, settings);
        for (keys, headers, expected) in [
            (&by_token, vec![sha1], true),
            (&by_previous, vec![sha1], true),
            (
                &by_key,
                vec![sha256, named("key=WK01,algorithm=HMAC_SHA256")],
                true,
            ),
            (
                &by_key,
                vec![sha1, named("key=WK01, algorithm=HMAC_SHA1")],
                true,
            ),
            (&by_key, vec![sha1, named("key=WK01")], true),
            (&by_token, vec![], false),
            (&by_token, vec![(SIGNATURE, "")], false),
            (
                &by_token,
                vec![(SIGNATURE, "RSOYDt4T1cUTdK1PDd93/VVr8B9=")],
                false,
            ),
            (&token(&["12346"]), vec![sha1], false),
            // The algorithm without its header, another key or algorithm, the token instead of the key,
            // the key instead of the token.
            (&by_key, vec![sha256], false),
            (
                &by_key,
                vec![sha256, named("key=WK02,algorithm=HMAC_SHA256")],
                false,
            ),
            (
                &by_key,
                vec![sha256, named("key=WK01,algorithm=HMAC_MD5")],
                false,
            ),
            (&by_key, vec![sha1, named("nonsense")], false),
            (&by_key, vec![sha1], false),
            (
                &by_token,
                vec![sha1, named("key=WK01,algorithm=HMAC_SHA1")],
                false,
            ),
        ] {
            assert_eq!(
                is_valid(keys, posted(URL, FORM), &headers),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn rejects_changed_urls_and_forms() {
        for (url, form, expected) in [
            (
                "https://mycompany.com:443/myapp.php?foo=1&bar=2",
                FORM,
                true,
            ),
            (
                "https://mycompany.com:8443/myapp.php?foo=1&bar=2",
                FORM,
                true,
            ),
            ("http://mycompany.com/myapp.php?foo=1&bar=2", FORM, false),
            ("https://mycompany.com/myapp.php?bar=2&foo=1", FORM, false),
            ("https://mycompany.com/myapp.php", FORM, false),
            ("nonsense", FORM, false),
            ("", FORM, false),
            (URL, "", false),
            (URL, &FORM.replace("1234&", "1235&"), false),
            // A duplicate parameter counts once.
            (URL, &format!("{FORM}&Digits=1234"), true),
            (URL, &format!("{FORM}&Digits=5"), false),
        ] {
            let found = is_valid(&token(&["12345"]), posted(url, form), &[(SIGNATURE, SHA1)]);
            assert_eq!(found, expected, "{url} {form}");
        }
    }

    #[test]
    fn signature_of_a_get_covers_the_url_alone() {
        let fetched = Callback {
            method: "GET",
            ..posted(URL, "")
        };
        let keys = token(&["12345"]);
        assert!(is_valid(&keys, fetched, &[(SIGNATURE, URL_ALONE)]));
        assert!(is_valid(&keys, posted(URL, ""), &[(SIGNATURE, URL_ALONE)]));
        assert!(!is_valid(&keys, fetched, &[(SIGNATURE, SHA1)]));
    }
}
