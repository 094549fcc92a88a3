//! One request to the provider, and its answer as far as it is read.

use std::pin::Pin;

use axum::http::Response as HttpResponse;
use openidconnect::HttpRequest;
use redflash_core::error_chain;
use reqwest::{Client, Response, Url};

use crate::oidc::OidcError;

/// The longest answer that is read.
const MAX_BODY: usize = 1024 * 1024;

type Answered = Pin<Box<dyn Future<Output = Result<HttpResponse<Vec<u8>>, OidcError>> + Send>>;

/// What sends requests, each once. Whoever calls it sets the deadline; its error is
/// [`OidcError::Unreachable`], when no answer came, or one that is too long.
///
/// It borrows nothing, so that a login can be begun on any thread.
pub(crate) fn sender(http: &Client) -> impl Fn(HttpRequest) -> Answered + use<> {
    let http = http.clone();
    move |request| {
        let http = http.clone();
        Box::pin(async move {
            let request = request.try_into();
            let request = request.map_err(|fault| failure("the provider", fault))?;
            send(&http, request).await
        })
    }
}

/// Sends a request, once.
///
/// # Errors
///
/// [`OidcError::Unreachable`] - no answer came, or one that is too long.
pub(crate) async fn send(
    http: &Client,
    request: reqwest::Request,
) -> Result<HttpResponse<Vec<u8>>, OidcError> {
    let place = place(request.url());
    let answered = http.execute(request).await;
    let response = answered.map_err(|fault| failure(&place, fault))?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = body(response, &place).await?;
    Ok(answer)
}

async fn body(mut response: Response, place: &str) -> Result<Vec<u8>, OidcError> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|fault| failure(place, fault))? else {
            return Ok(body);
        };
        if body.len() + chunk.len() > MAX_BODY {
            let reason = format!("{place} answers with more than {MAX_BODY} bytes");
            return Err(OidcError::Unreachable(reason));
        }
        body.extend_from_slice(&chunk);
    }
}

/// A URL without what may be secret of it.
pub(crate) fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn failure(place: &str, fault: reqwest::Error) -> OidcError {
    let reason = error_chain(&fault.without_url());
    OidcError::Unreachable(format!("{place}: {reason}"))
}
