//! The proxy that a request goes through, if any.

use std::fmt;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;
use url::{Host, Url};

use crate::ConfigError;

/// Selects the proxy of a request: the gateway's own, or that of the environment.
#[derive(Clone, Debug)]
pub(super) struct Proxies {
    matcher: Arc<Matcher>,
    /// True if the proxies come from the environment.
    of_environment: bool,
}

/// A proxy.
#[derive(Clone)]
pub(super) struct Proxy {
    /// Its URL, without credentials.
    pub(super) url: http::Uri,
    /// The value of `Proxy-Authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.url).finish()
    }
}

impl Proxies {
    /// Reads the key `proxy` of a gateway; without it, the environment.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] at `proxy` if it is not the URL of a proxy.
    pub(super) fn new(own: Option<&SecretString>) -> Result<Self, ConfigError> {
        let matcher = match own.map(ExposeSecret::expose_secret) {
            None => Matcher::from_env(),
            Some("none") => Matcher::builder().build(),
            Some(url) => own_proxy(url)?,
        };
        let proxies = Self {
            matcher: Arc::new(matcher),
            of_environment: own.is_none(),
        };
        Ok(proxies)
    }

    /// Returns the proxy for requests to a URL.
    pub(super) fn of(&self, url: &Url) -> Option<Proxy> {
        if self.of_environment && is_this_machine(url) {
            return None;
        }
        let uri: http::Uri = url.as_str().parse().ok()?;
        let found = self.matcher.intercept(&uri)?;
        if !speaks_http(&found) {
            warn!(
                "the environment names a SOCKS proxy, which is not supported: connecting without; \
                 use an http:// proxy, or set proxy = \"none\" for the gateway"
            );
            return None;
        }
        Some(Proxy {
            url: found.uri().clone(),
            authorization: found.basic_auth().cloned(),
        })
    }
}

fn own_proxy(url: &str) -> Result<Matcher, ConfigError> {
    // The URL may contain a password, so it is not quoted.
    let wrong = || {
        let reason = "it must be the URL of an HTTP proxy, such as http://proxy.example.org:3128, or \
                      \"none\"; special characters of a password are written as %40";
        ConfigError::at("proxy", reason)
    };
    let parsed = Url::parse(url).map_err(|_| wrong())?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err(wrong());
    }
    let matcher = Matcher::builder().all(parsed.as_str()).build();
    let any = http::Uri::from_static("https://example.org");
    if matcher.intercept(&any).is_none() {
        return Err(wrong());
    }
    Ok(matcher)
}

fn speaks_http(proxy: &Intercept) -> bool {
    matches!(proxy.uri().scheme_str(), Some("http" | "https"))
}

/// Returns true for a URL of this machine itself, which no proxy elsewhere can reach.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(own: &str, url: &str) -> Option<Proxy> {
        let proxies = Proxies::new(Some(&own.into())).unwrap();
        proxies.of(&Url::parse(url).unwrap())
    }

    #[test]
    fn own_proxy_applies_to_every_url() {
        for url in [
            "https://a.example/",
            "http://a.example/",
            "http://127.0.0.1:1/",
        ] {
            let proxy = proxy("http://me:can%40ary@proxy.example:3128", url).unwrap();
            assert_eq!(proxy.url, "http://proxy.example:3128/");
            let authorization = proxy.authorization.as_ref().unwrap();
            // me:can@ary
            assert_eq!(authorization, "Basic bWU6Y2FuQGFyeQ==");
            assert!(!format!("{proxy:?}").contains("can"), "{proxy:?}");
            assert!(proxy_is_none(url));
        }
    }

    fn proxy_is_none(url: &str) -> bool {
        proxy("none", url).is_none()
    }

    #[test]
    fn rejects_invalid_proxies_without_quoting_them() {
        for bad in [
            "",
            "canary",
            "canary.example:3128",
            "socks5://canary.example:1080",
            "http://",
            "http://me:canary@",
        ] {
            let error = Proxies::new(Some(&bad.into())).unwrap_err();
            assert_eq!(error.key.as_deref(), Some("proxy"), "{bad}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn recognizes_urls_of_this_machine() {
        for (url, expected) in [
            ("http://127.0.0.1/", true),
            ("http://[::1]:80/", true),
            ("http://localhost./", true),
            ("http://a.localhost/", true),
            ("http://localhost.example/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(
                is_this_machine(&Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }
}
