//! What the gateways share at which we have an account: where their API is, how we log in, and what
//! a refusal means.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redflash_core::{SendError, Timestamp};
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use super::answer::{Answer, refusal};
use super::request::Request;
use crate::ConfigError;

impl Request {
    /// A JSON document to be posted.
    pub(crate) fn json(url: Url, document: &impl Serialize, now: Timestamp) -> Self {
        let body = serde_json::to_string(document).expect("a body of plain values is JSON");
        Self::post(url, "application/json", body, now)
    }

    /// The same with another method.
    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// The same with a header more, in the place of one of that name.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// The value of `Authorization` for a user and a password (RFC 7617).
pub(crate) fn basic(user: &str, password: &SecretString) -> HeaderValue {
    let both = format!("{user}:{}", password.expose_secret());
    let text = format!("Basic {}", BASE64_STANDARD.encode(both));
    let mut value = HeaderValue::try_from(text).expect("base64 is plain ASCII");
    value.set_sensitive(true);
    value
}

/// A header's value that holds a secret: `prefix`, such as `Bearer `, and the secret.
///
/// # Errors
///
/// [`ConfigError`] at this key when the secret is empty or holds what no header may hold.
pub(crate) fn secret_header(
    key: &str,
    prefix: &str,
    secret: &SecretString,
) -> Result<HeaderValue, ConfigError> {
    let secret = secret.expose_secret();
    let value = HeaderValue::try_from(format!("{prefix}{secret}"));
    let mut value = value
        .ok()
        .filter(|value| !secret.is_empty() && value.to_str().is_ok())
        .ok_or_else(|| ConfigError::at(key, "it must be one line of visible ASCII characters"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The URL of a call: the API's base with these segments added to its path.
///
/// # Errors
///
/// [`ConfigError`] at `base_url` when that is no HTTP URL, or holds a login.
pub(crate) fn endpoint(base: &Url, segments: &[&str]) -> Result<Url, ConfigError> {
    if !matches!(base.scheme(), "http" | "https") {
        let reason = "it must start with https:// or http://";
        return Err(ConfigError::at("base_url", reason));
    }
    if !base.username().is_empty() || base.password().is_some() {
        let reason = "it must not hold a user name or a password";
        return Err(ConfigError::at("base_url", reason));
    }
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    Ok(url)
}

/// The URL that messages name for callbacks about them. It may hold a secret.
///
/// # Errors
///
/// [`ConfigError`] at `callback_url` when it is no whole URL.
#[cfg(feature = "sms")]
pub(crate) fn callback_url(url: &SecretString) -> Result<Url, ConfigError> {
    let url = Url::parse(url.expose_secret()).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| {
            ConfigError::at(
                "callback_url",
                "it must be an absolute https:// or http:// URL",
            )
        })
}

/// The meaning of a status that is no success, for a gateway where we have an account, unless its
/// documents say otherwise. It differs from [`refusal`] in these:
///
/// | status | meaning |
/// | --- | --- |
/// | 401, 402 | the account is refused |
/// | 3xx, 404, 405, 410 | our requests go to the wrong place, which is no message's fault |
/// | 429 | the account, later |
///
/// A 403 without a word that the documents know may be about this message alone, such as a filter that
/// dislikes its text. If it is about all, different recipients show it soon.
pub(crate) fn account_refusal(answer: &Answer) -> SendError {
    let reason = answer.detail();
    match answer.status.as_u16() {
        401 | 402 => SendError::Unauthorized { reason },
        300..=399 => SendError::Refused {
            reason: format!("{reason}, and redirects are not followed: correct base_url"),
        },
        404 | 405 | 410 => SendError::Refused { reason },
        429 => answer.rate_limited(reason),
        _ => refusal(answer),
    }
}

/// The same where the vendor's documents say that a 403 refuses the account.
pub(crate) fn account_refusal_by_403(answer: &Answer) -> SendError {
    match answer.status.as_u16() {
        403 => SendError::Unauthorized {
            reason: answer.detail(),
        },
        _ => account_refusal(answer),
    }
}

/// The same where each recipient has a limit of its own, which a 429 speaks of.
#[cfg(feature = "chat")]
pub(crate) fn room_refusal(answer: &Answer) -> SendError {
    match answer.status.as_u16() {
        429 => refusal(answer),
        _ => account_refusal(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_follow_the_base() {
        for base in ["https://a.example", "https://a.example/"] {
            let base = Url::parse(base).unwrap();
            let url = endpoint(&base, &["v1", "a b"]).unwrap();
            assert_eq!(url.as_str(), "https://a.example/v1/a%20b");
        }
        let base = Url::parse("https://a.example/api/").unwrap();
        assert_eq!(endpoint(&base, &["x"]).unwrap().path(), "/api/x");
        for bad in ["ftp://a.example", "https://me:pw@a.example"] {
            assert!(endpoint(&Url::parse(bad).unwrap(), &[]).is_err(), "{bad}");
        }
    }

    #[cfg(feature = "sms")]
    #[test]
    fn a_callback_url_is_whole_and_not_quoted() {
        let url = callback_url(&"https://a.example/ack/b".into()).unwrap();
        assert_eq!(url.as_str(), "https://a.example/ack/b");
        for bad in ["", "/ack/canary", "ftp://a.example/canary", "canary"] {
            let error = callback_url(&bad.into()).unwrap_err();
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_secret_that_is_no_header_is_refused_without_being_quoted() {
        for bad in ["", "canary\n", "can\u{e4}ry"] {
            let error = secret_header("token", "Bearer ", &bad.into()).unwrap_err();
            assert!(!error.to_string().contains("can"), "{error}");
        }
        let value = secret_header("token", "Bearer ", &"canary".into()).unwrap();
        assert!(value.is_sensitive());
        assert_eq!(value, "Bearer canary");
        assert_eq!(basic("a", &"b".into()), "Basic YTpi");
    }
}
