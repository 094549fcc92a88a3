//! The headers that the configuration adds to each request.

use std::collections::BTreeMap;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use secrecy::SecretString;

use crate::ConfigError;
use crate::http::secret_header;

/// Headers that describe the connection or the message, which set them (RFC 9110, sections 7.6.1 and 8;
/// RFC 9112).
const RESERVED: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Checks the keys `headers` and `authorization`.
///
/// # Errors
///
/// Returns a [`ConfigError`] that names the invalid key and never quotes a value.
pub(super) fn headers(
    headers: &BTreeMap<String, SecretString>,
    authorization: Option<&SecretString>,
) -> Result<HeaderMap, ConfigError> {
    let mut map = HeaderMap::new();
    for (text, value) in headers {
        let key = format!("headers.{text}");
        let name = name(text).map_err(|reason| ConfigError::at(&*key, reason))?;
        let value = secret_header(&key, "", value)?;
        if map.insert(name, value).is_some() {
            let reason = "this header is set twice: names are case-insensitive";
            return Err(ConfigError::at(key, reason));
        }
    }
    if let Some(value) = authorization {
        let value = secret_header("authorization", "", value)?;
        map.insert(AUTHORIZATION, value);
    }
    Ok(map)
}

fn name(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::try_from(text).map_err(|_| {
        "a header's name must have letters, digits and hyphens only, such as X-Api-Key".to_owned()
    })?;
    if name == AUTHORIZATION {
        return Err("use the key authorization instead".to_owned());
    }
    if RESERVED.contains(&name.as_str()) || name.as_str().starts_with("webhook-") {
        return Err(format!("the gateway itself sets {name}: remove it"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &[(&str, &str)]) -> Result<HeaderMap, ConfigError> {
        let owned = list
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()));
        headers(&owned.collect(), Some(&"Bearer canary".into()))
    }

    #[test]
    fn values_are_not_logged() {
        let map = of(&[("X-Api-Key", "canary")]).unwrap();
        assert_eq!(map["x-api-key"], "canary");
        assert_eq!(map["authorization"], "Bearer canary");
        assert!(!format!("{map:?}").contains("canary"), "{map:?}");
    }

    #[test]
    fn rejects_invalid_and_reserved_names() {
        for bad in [
            "",
            "X Api",
            "X-\u{e4}",
            "Authorization",
            "Host",
            "Content-Length",
            "CONTENT-TYPE",
            "Transfer-Encoding",
            "Proxy-Authorization",
            "Webhook-Signature",
        ] {
            let error = of(&[(bad, "canary")]).unwrap_err();
            assert_eq!(error.key, Some(format!("headers.{bad}")));
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        let error = of(&[("X-A", "a"), ("x-a", "b")]).unwrap_err();
        assert_eq!(error.key.as_deref(), Some("headers.x-a"));
        let error = of(&[("X-A", "canary\nX-B: c")]).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
