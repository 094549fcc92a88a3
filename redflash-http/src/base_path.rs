//! The path below which a proxy publishes this server: that of `public_url`.
//!
//! Paths inside the server never contain it. It is stripped from each request that has it, so that a
//! proxy may pass it on or not, and prepended to every URL in a response: in pages by the template
//! (`{{@root.base}}`), in `Location` by [`BasePath::serve`].

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use tower::ServiceExt;
use url::Url;

/// The first segments of the server's own paths.
const RESERVED: [&str; 10] = [
    "ack", "admin", "api", "contact", "event", "group", "healthz", "inbound", "metrics", "readyz",
];

/// The path below which clients reach this server: empty, or with a leading slash and no trailing one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// Reason why a URL cannot be the public URL of this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePathError(String);

impl fmt::Display for BasePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BasePathError {}

impl BasePath {
    /// Extracts the path of a public URL.
    ///
    /// # Errors
    ///
    /// [`BasePathError`] if it is not a URL, has a query or a fragment, or has a path that could be
    /// mistaken for one of the server itself.
    pub fn of(public_url: &str) -> Result<Self, BasePathError> {
        let error = |reason: String| Err(BasePathError(reason));
        let url = match Url::parse(public_url) {
            Ok(url) if url.has_host() => url,
            _ => return error("it must be a URL, such as https://alerts.example.org".to_owned()),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return error("it must not have a query or a fragment".to_owned());
        }
        let path = url.path().trim_end_matches('/');
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        let mut parts = path.split('/').skip(1);
        if !parts
            .clone()
            .all(|part| !part.is_empty() && part.bytes().all(legal))
        {
            return error(format!(
                "its path {path} may only have letters, digits and - _ . ~ between slashes"
            ));
        }
        if let Some(first) = parts.next().filter(|first| RESERVED.contains(first)) {
            return error(format!(
                "its path cannot begin with /{first}, which is a path of the server itself: \
                 choose another, such as /redflash"
            ));
        }
        Ok(Self(path.to_owned()))
    }

    /// Returns the path, which may be empty.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Strips the base path from a path.
    pub(crate) fn strip<'a>(&self, path: &'a str) -> &'a str {
        match path.strip_prefix(&self.0) {
            Some("") => "/",
            Some(rest) if rest.starts_with(['/', '?']) => rest,
            _ => path,
        }
    }

    /// Returns a cookie name that differs from that of servers below other paths of the same host.
    pub(crate) fn cookie(&self, name: &str) -> String {
        format!("{name}{}", self.0.replace('/', "."))
    }

    /// Serves routes both below this path and at the root.
    pub(crate) fn serve(&self, routes: Router) -> Router {
        if self.0.is_empty() {
            return routes;
        }
        let (before, after) = (Arc::new(self.clone()), Arc::new(self.clone()));
        let served = routes
            .map_request(move |request: Request| before.strip_request(request))
            .map_response(move |response: Response| after.prefix_location(response));
        Router::new().fallback_service(served)
    }

    fn strip_request(&self, mut request: Request) -> Request {
        let uri = request.uri();
        let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let stripped = self.strip(whole);
        if stripped.len() == whole.len() {
            return request;
        }
        let mut parts = uri.clone().into_parts();
        let stripped = match stripped.strip_prefix('?') {
            Some(query) => format!("/?{query}"),
            None => stripped.to_owned(),
        };
        parts.path_and_query = PathAndQuery::try_from(stripped).ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
        request
    }

    fn prefix_location(&self, mut response: Response) -> Response {
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let local = location.filter(|path| path.starts_with('/') && !path.starts_with("//"));
        let prefixed = local.map(|path| HeaderValue::try_from(format!("{}{path}", self.0)));
        if let Some(Ok(location)) = prefixed {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validates_path_of_public_url() {
        for (url, path) in [
            ("https://a.example", ""),
            ("https://a.example/", ""),
            ("https://a.example/redflash", "/redflash"),
            ("https://a.example/x/red-flash_1.0/", "/x/red-flash_1.0"),
            ("https://a.example/x/admin", "/x/admin"),
        ] {
            assert_eq!(BasePath::of(url).unwrap().as_str(), path, "{url}");
        }
        for url in [
            "alerts",
            "https://a.example/x?y",
            "https://a.example/x#y",
            "https://a.example/x//y",
            "https://a.example/x y",
            "https://a.example/admin",
            "https://a.example/event/x",
        ] {
            assert!(BasePath::of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn strips_base_path() {
        let base = BasePath::of("https://a.example/redflash").unwrap();
        for (path, own) in [
            ("/redflash/admin", "/admin"),
            ("/admin", "/admin"),
            ("/redflash", "/"),
            ("/redflash?x=y", "?x=y"),
            ("/redflashy/admin", "/redflashy/admin"),
            ("/x/redflash/admin", "/x/redflash/admin"),
        ] {
            assert_eq!(base.strip(path), own, "{path}");
        }
        assert_eq!(base.cookie("__Host-rf"), "__Host-rf.redflash");
        assert_eq!(BasePath::default().strip("/admin"), "/admin");
        assert_eq!(BasePath::default().cookie("__Host-rf"), "__Host-rf");
    }
}
