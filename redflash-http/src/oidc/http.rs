//! HTTP requests to the provider, with a limit on the size of responses.

use std::pin::Pin;

use axum::http::Response as HttpResponse;
use openidconnect::HttpRequest;
use redflash_core::error_chain;
use reqwest::{Client, Response, Url};

use crate::oidc::OidcError;

/// Maximum size of a response body, in bytes.
const MAX_BODY: usize = 1024 * 1024;

type ResponseFuture =
    Pin<Box<dyn Future<Output = Result<HttpResponse<Vec<u8>>, OidcError>> + Send>>;

/// Returns a function that sends each request once, as [`send`] does. The caller sets the deadline.
///
/// It borrows nothing, so that a login can start on any thread.
pub(crate) fn sender(http: &Client) -> impl Fn(HttpRequest) -> ResponseFuture + use<> {
    let http = http.clone();
    move |request| {
        let http = http.clone();
        Box::pin(async move {
            let request = request.try_into();
            let request = request.map_err(|error| failure("the provider", error))?;
            send(&http, request).await
        })
    }
}

/// Sends a request once.
///
/// # Errors
///
/// [`OidcError::Unreachable`] - there was no response, or it is too large.
pub(crate) async fn send(
    http: &Client,
    request: reqwest::Request,
) -> Result<HttpResponse<Vec<u8>>, OidcError> {
    let address = address(request.url());
    let sent = http.execute(request).await;
    let response = sent.map_err(|error| failure(&address, error))?;
    let mut read = HttpResponse::new(Vec::new());
    *read.status_mut() = response.status();
    *read.headers_mut() = response.headers().clone();
    *read.body_mut() = body(response, &address).await?;
    Ok(read)
}

async fn body(mut response: Response, address: &str) -> Result<Vec<u8>, OidcError> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| failure(address, error))? else {
            return Ok(body);
        };
        if body.len() + chunk.len() > MAX_BODY {
            let reason = format!("{address} responds with more than {MAX_BODY} bytes");
            return Err(OidcError::Unreachable(reason));
        }
        body.extend_from_slice(&chunk);
    }
}

/// Returns a URL without its query, which may have secrets.
pub(crate) fn address(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn failure(address: &str, error: reqwest::Error) -> OidcError {
    let reason = error_chain(&error.without_url());
    OidcError::Unreachable(format!("{address}: {reason}"))
}
