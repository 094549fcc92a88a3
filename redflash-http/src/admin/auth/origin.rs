//! The check that a form comes from a page of this server.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns true if a request comes from a page of this server, by `Sec-Fetch-Site` or else `Origin`. A
/// client that sends neither is not a current browser, and still needs the form token.
///
/// * `public_url` - the public URL of this server.
pub(crate) fn is_own(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Some(origin) = origin.to_str().ok().and_then(|text| Url::parse(text).ok()) else {
        return false;
    };
    let public = public_url.and_then(|url| Url::parse(url).ok());
    if public.is_some_and(|public| public.origin() == origin.origin()) {
        return true;
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let of_host = host.and_then(|host| Url::parse(&format!("{}://{host}", origin.scheme())).ok());
    of_host.is_some_and(|own| own.origin() == origin.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_own(&headers, Some("https://alerts.example.org/"))
    }

    #[test]
    fn accepts_forms_of_this_server_only() {
        assert!(own(&[]));
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(!own(&[("sec-fetch-site", "same-site")]));
        assert!(!own(&[("sec-fetch-site", "cross-site")]));
        let host = ("host", "127.0.0.1:8025");
        assert!(own(&[host, ("origin", "http://127.0.0.1:8025")]));
        assert!(own(&[host, ("origin", "https://alerts.example.org")]));
        for foreign in [
            "null",
            "http://127.0.0.1:8026",
            "https://evil.example",
            "https://evil.alerts.example.org",
            "http://127.0.0.1:8025.evil.example",
        ] {
            assert!(!own(&[host, ("origin", foreign)]), "{foreign}");
        }
    }
}
