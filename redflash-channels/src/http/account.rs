//! APIs at which we have an account: URLs, credentials, and the meaning of refusals.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redflash_core::clock::Timestamp;
use redflash_core::message::SendError;
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use super::answer::{Answer, refusal};
use super::request::Request;
use crate::ConfigError;

impl Request {
    /// Creates a `POST` request with a JSON document.
    pub(crate) fn json(url: Url, document: &impl Serialize, now: Timestamp) -> Self {
        let body = serde_json::to_string(document).expect("plain values serialize to JSON");
        Self::post(url, "application/json", body, now)
    }

    /// Replaces the method.
    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets a header, replacing one of the same name.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// Returns the value of `Authorization` for a user and a password (RFC 7617).
pub(crate) fn basic(user: &str, password: &SecretString) -> HeaderValue {
    let both = format!("{user}:{}", password.expose_secret());
    let text = format!("Basic {}", BASE64_STANDARD.encode(both));
    let mut value = HeaderValue::try_from(text).expect("base64 is plain ASCII");
    value.set_sensitive(true);
    value
}

/// Returns a header value with a secret: `prefix`, such as `Bearer `, and the secret.
///
/// # Errors
///
/// Returns a [`ConfigError`] at this key if the secret is empty or has characters that no header may
/// have.
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

/// Returns the URL of an API call: the base URL with these segments added to its path.
///
/// # Errors
///
/// Returns a [`ConfigError`] at `base_url` if that is not an HTTP URL, or contains credentials.
pub(crate) fn endpoint(base: &Url, segments: &[&str]) -> Result<Url, ConfigError> {
    if !matches!(base.scheme(), "http" | "https") {
        let reason = "it must start with https:// or http://";
        return Err(ConfigError::at("base_url", reason));
    }
    if !base.username().is_empty() || base.password().is_some() {
        let reason = "it must not contain a user name or a password";
        return Err(ConfigError::at("base_url", reason));
    }
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    Ok(url)
}

/// Parses the URL that messages name for callbacks. It may contain a secret.
///
/// # Errors
///
/// Returns a [`ConfigError`] at `callback_url` if it is not an absolute URL.
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

/// Maps a status other than success to a send error, for a gateway at which we have an account, unless
/// its documentation says otherwise. Differs from [`refusal`] in these statuses:
///
/// | status | meaning |
/// | --- | --- |
/// | 401, 402 | the account is refused |
/// | 3xx, 404, 405, 410 | the URL is wrong, which concerns no single message |
/// | 429 | the account is rate limited |
///
/// A 403 without a documented reason may concern this message alone, such as a filter that rejects its
/// text. If it concerns all messages, different recipients soon show it.
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

/// Maps a status as [`account_refusal`] does, for vendors whose documentation says that a 403 refuses the
/// account.
pub(crate) fn account_refusal_by_403(answer: &Answer) -> SendError {
    match answer.status.as_u16() {
        403 => SendError::Unauthorized {
            reason: answer.detail(),
        },
        _ => account_refusal(answer),
    }
}

/// Maps a status as [`account_refusal`] does, for vendors with a rate limit per recipient: a 429 defers
/// the recipient.
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
    fn appends_segments_to_the_base_url() {
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
    fn rejects_relative_callback_urls_without_quoting_them() {
        let url = callback_url(&"https://a.example/ack/b".into()).unwrap();
        assert_eq!(url.as_str(), "https://a.example/ack/b");
        for bad in ["", "/ack/canary", "ftp://a.example/canary", "canary"] {
            let error = callback_url(&bad.into()).unwrap_err();
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn rejects_invalid_header_secrets_without_quoting_them() {
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
