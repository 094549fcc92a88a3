//! The addresses of webhooks: URLs in a normal form.

use redflash_core::model::{Address, AddressError};
use url::{Host, Url};

use crate::http::Guard;

/// Normalizes a URL for gateways that may dial only public addresses.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    parse_url(raw.trim(), &Guard::new(&[]), false)
}

/// Returns the host of a normalized URL, without a user, and with its port unless that is the scheme's
/// default.
pub(super) fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit_once('@').map(|(_, host)| host);
    Some(host.unwrap_or(authority))
}

/// Normalizes a URL: the host in lower case, no default port, no slash at the end of the path.
///
/// * `keep_slash` - keeps a slash at the end, since messages are posted to the URL itself.
pub(super) fn parse_url(
    raw: &str,
    guard: &Guard,
    keep_slash: bool,
) -> Result<Address, AddressError> {
    let refuse = |reason: &str| Err(AddressError::new(reason));
    // The parser drops some of these characters, so that the checked URL would differ from the input.
    if raw.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("a webhook's address must not contain whitespace");
    }
    let mut url = Url::parse(raw).map_err(|error| {
        // It may contain a password, so it is not quoted.
        AddressError::new(format!(
            "it is not a URL ({error}): write it as https://hooks.example.org/alerts"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("a webhook's address must start with https:// or http://");
    }
    let is_masked = |text: &str| text == Address::MASK;
    if url
        .password()
        .map_or_else(|| is_masked(url.username()), is_masked)
    {
        return refuse("*** stands for a hidden password: enter the password itself");
    }
    if url.port() == Some(0) {
        return refuse("port 0 is not valid");
    }
    let literal = match url.host() {
        None => return refuse("a webhook's address must have a host"),
        Some(Host::Ipv4(v4)) => Some(v4.into()),
        Some(Host::Ipv6(v6)) => Some(v6.into()),
        Some(Host::Domain(name)) => is_localhost(name).then_some([127, 0, 0, 1].into()),
    };
    if let Some(address) = literal {
        let checked = guard.check(address);
        checked.map_err(|blocked| AddressError::new(blocked.to_string()))?;
    }
    url.set_fragment(None);
    if !keep_slash {
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
    }
    Address::new(url)
}

/// Returns true for names that always mean the machine itself (RFC 6761, section 6.3).
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Result<String, String> {
        let address = parse_url(raw.trim(), &Guard::new(&[]), false);
        address
            .map(|address| address.as_str().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn normalizes_equal_urls_to_one_address() {
        let normal = "https://hooks.example.org/alerts";
        for same in [
            "https://hooks.example.org/alerts",
            " https://hooks.example.org/alerts/ ",
            "HTTPS://Hooks.Example.org:443/alerts//#top",
            "https://hooks.example.org/x/../alerts",
        ] {
            assert_eq!(parse(same).as_deref(), Ok(normal), "{same}");
        }
        let with_user = "https://me:secret@hooks.example.org/a";
        assert_eq!(parse(with_user).as_deref(), Ok(with_user));
        let with_query = "https://hooks.example.org/a?b=c";
        assert_eq!(parse(with_query).as_deref(), Ok(with_query));
    }

    #[test]
    fn errors_quote_no_password() {
        for bad in [
            "https://me:canary@",
            "ftp://me:canary@a.example/",
            "me:canary@a.example",
        ] {
            let error = parse(bad).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn rejects_urls_that_are_not_webhooks() {
        for bad in [
            "",
            "hooks.example.org",
            "//hooks.example.org/",
            "javascript:alert(1)",
            "ftp://hooks.example.org/",
            "https://",
            "https://a b/",
            "http://hooks.example:99999/",
            "http://hooks.example:0/",
            "https://me:***@hooks.example.org/",
            "https://***@hooks.example.org/",
            "http://\t127.0.0.1/",
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://①②⑦.0.0.1/",
            "http://[::1]/",
            "http://0/",
            "http://[2002:c0a8:0001::1]/",
            "http://localhost./",
            "http://a.localhost/",
            "http://169.254.169.254/latest",
        ] {
            assert!(parse(bad).is_err(), "{bad} was accepted");
        }
        assert!(
            parse("http://10.0.0.1/")
                .unwrap_err()
                .contains("allow_networks")
        );
    }
}
