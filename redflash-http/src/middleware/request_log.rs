//! The id, the log line and the security headers of every request.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use redflash_core::model::{Slug, Target};
use tracing::field::display;
use tracing::{Instrument, debug, info, info_span};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The fields of an error that the log shows, carried by the extensions of its response.
#[derive(Clone, Debug)]
pub(crate) struct ErrorFields {
    pub(crate) code: &'static str,
    /// The key of the request.
    pub(crate) key: Option<Slug>,
    /// The target of the request.
    pub(crate) target: Option<Target>,
}

pub(crate) async fn log_request(request: Request, next: Next) -> Response {
    let id = request_id(&request).unwrap_or_else(new_id);
    let method = request.method().clone();
    // The path may hold a secret, and always holds names, so the log has the route instead.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let span = info_span!("request", id = id.to_str().unwrap_or_default());
    let begun = Instant::now();
    async {
        let mut response = next.run(request).await;
        let status = response.status().as_u16();
        let seconds = begun.elapsed().as_secs_f64();
        if status < 400 {
            debug!(%method, route, status, seconds, "answered");
        } else {
            let refused = response.extensions_mut().remove::<ErrorFields>();
            let code = refused.as_ref().map(|refused| refused.code);
            let key = refused.as_ref().and_then(|refused| refused.key.as_ref());
            let target = refused.as_ref().and_then(|refused| refused.target.as_ref());
            let (key, target) = (key.map(display), target.map(display));
            info!(%method, route, status, seconds, code, key, target, "refused");
        }
        metrics::counter!("redflash_http_requests_total", "route" => route, "status" => status.to_string())
            .increment(1);
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // Only static assets set this header themselves.
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        response
    }
    .instrument(span)
    .await
}

/// Returns the caller's own id, if it is safe in a log line.
fn request_id(request: &Request) -> Option<HeaderValue> {
    let id = request.headers().get(REQUEST_ID)?;
    let legal = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let is_safe = (1..=64).contains(&id.len()) && id.as_bytes().iter().all(legal);
    is_safe.then(|| id.clone())
}

fn new_id() -> HeaderValue {
    let id = format!("{:032x}", fastrand::u128(..));
    HeaderValue::try_from(id).expect("hex digits are a header's value")
}
