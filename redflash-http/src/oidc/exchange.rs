//! One request to the provider, and its answer as far as it is read.

use axum::http::Response as HttpResponse;
use openidconnect::HttpRequest;
use redflash_core::report;
use reqwest::{Client, Response, Url};

use super::OidcError;

/// The longest answer that is read.
const MAX_BODY: usize = 1024 * 1024;

/// Sends a request, once. Whoever calls it sets the deadline.
///
/// # Errors
///
/// [`OidcError::Unreachable`] - no answer came, or one that is too long.
pub(crate) async fn send(
    http: &Client,
    request: HttpRequest,
) -> Result<HttpResponse<Vec<u8>>, OidcError> {
    let request = request
        .try_into()
        .map_err(|fault| failure("the provider", fault))?;
    send_to(http, request).await
}

/// The same for a request as [`reqwest`] has it.
pub(crate) async fn send_to(
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
    let reason = report(&fault.without_url());
    OidcError::Unreachable(format!("{place}: {reason}"))
}
