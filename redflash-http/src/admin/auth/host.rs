//! The check of the host name in requests to the web admin.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::{Host, Url};

use crate::admin::auth::guard;
use crate::admin::ui::page_error::PageError;
use crate::app::App;

/// Serves the web admin under known host names only. Otherwise a foreign site could point a name of its
/// own here (DNS rebinding), and would count as a page of this server.
pub(crate) async fn require_known_host(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    if is_known(request.headers(), app.config.public_url.as_deref()) {
        return next.run(request).await;
    }
    let text = "Open the web admin at localhost, at an IP address of the server, or at server.public_url. To use \
        this host name, set server.public_url.";
    let status = StatusCode::MISDIRECTED_REQUEST;
    let error = PageError::new(status, "Unknown host name", text);
    guard::finish(&app, None, error.into_response())
}

/// Returns true if the host is an IP address, `localhost`, or that of the public URL. A request without
/// a host does not come from a browser.
fn is_known(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let Some(host) = headers.get(HOST) else {
        return true;
    };
    let url = host.to_str().ok();
    let url = url.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain("localhost") | Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(name) => {
            let public = public_url.and_then(|url| Url::parse(url).ok());
            public.as_ref().and_then(Url::host) == Some(name)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(host: &str) -> bool {
        let headers = [(HOST, host.parse().unwrap())];
        is_known(
            &headers.into_iter().collect(),
            Some("https://alerts.example.org/x"),
        )
    }

    #[test]
    fn rejects_foreign_host_names() {
        for host in [
            "alerts.example.org",
            "ALERTS.example.org:8025",
            "localhost:8025",
            "127.0.0.1:8025",
            "192.0.2.1",
            "[::1]:8025",
        ] {
            assert!(known(host), "{host}");
        }
        for host in [
            "evil.example",
            "alerts.example.org.evil.example",
            "x@evil.example",
            "127.0.0.1.evil.example",
            "",
            " ",
            "a/b",
        ] {
            assert!(!known(host), "{host}");
        }
        assert!(is_known(&HeaderMap::new(), None));
        let headers = [(HOST, "alerts.example.org".parse().unwrap())];
        assert!(!is_known(&headers.into_iter().collect(), None));
    }
}
