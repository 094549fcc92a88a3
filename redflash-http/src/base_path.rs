//! The path below which a proxy shows this server to others: that of `public_url`.
//!
//! Paths in the server never have it. It is taken off each request that comes with it, whether the
//! proxy passes it on or not, and put before every URL that leaves: those in pages by the template
//! (`{{@root.base}}`), those in `Location` by [`BasePath::serve`].

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

/// The first parts of paths that the server has itself.
const OWN: [&str; 10] = [
    "ack", "admin", "api", "contact", "event", "group", "healthz", "inbound", "metrics", "readyz",
];

/// The path below which others see this server: empty, or with a slash at its beginning and none at its
/// end.
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
    /// The path of a server's public URL.
    ///
    /// # Errors
    ///
    /// [`BasePathError`] when it is no URL, has a query or a fragment, or has a path that cannot be told
    /// from those of the server itself.
    pub fn of(public_url: &str) -> Result<Self, BasePathError> {
        let wrong = |reason: String| Err(BasePathError(reason));
        let url = match Url::parse(public_url) {
            Ok(url) if url.has_host() => url,
            _ => return wrong("it must be a URL, such as https://alerts.example.org".to_owned()),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return wrong("it must end with its path, without ? and #".to_owned());
        }
        let path = url.path().trim_end_matches('/');
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        let mut parts = path.split('/').skip(1);
        if !parts
            .clone()
            .all(|part| !part.is_empty() && part.bytes().all(legal))
        {
            return wrong(format!(
                "its path {path} may have letters, digits and - _ . ~ between slashes"
            ));
        }
        if let Some(first) = parts.next().filter(|first| OWN.contains(first)) {
            return wrong(format!(
                "its path cannot begin with /{first}, which is a path of the server itself: \
                 choose another, such as /redflash"
            ));
        }
        Ok(Self(path.to_owned()))
    }

    /// The path, which is empty where there is none.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A path as the server itself has it.
    pub(crate) fn strip<'a>(&self, path: &'a str) -> &'a str {
        match path.strip_prefix(&self.0) {
            Some("") => "/",
            Some(rest) if rest.starts_with(['/', '?']) => rest,
            _ => path,
        }
    }

    /// The name of a cookie, which servers below other paths of the same host do not have.
    pub(crate) fn cookie(&self, name: &str) -> String {
        format!("{name}{}", self.0.replace('/', "."))
    }

    /// The same routes with and without this path before theirs.
    pub(crate) fn serve(&self, routes: Router) -> Router {
        if self.0.is_empty() {
            return routes;
        }
        let (before, after) = (Arc::new(self.clone()), Arc::new(self.clone()));
        let served = routes
            .map_request(move |request: Request| before.inwards(request))
            .map_response(move |response: Response| after.outwards(response));
        Router::new().fallback_service(served)
    }

    fn inwards(&self, mut request: Request) -> Request {
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

    fn outwards(&self, mut response: Response) -> Response {
        let place = response.headers().get(LOCATION);
        let place = place.and_then(|place| place.to_str().ok());
        let place = place.filter(|place| place.starts_with('/') && !place.starts_with("//"));
        let place = place.map(|place| HeaderValue::try_from(format!("{}{place}", self.0)));
        if let Some(Ok(place)) = place {
            response.headers_mut().insert(LOCATION, place);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_a_public_url_is_checked() {
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
    fn paths_are_the_same_with_and_without_it() {
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
