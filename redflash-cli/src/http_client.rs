//! The client with which this machine asks others.

use std::sync::Arc;

use redflash_core::error_chain;
use rustls_platform_verifier::BuilderVerifierExt;

/// A client that follows no redirects, which would carry keys, codes and tokens elsewhere, and believes
/// the certificates that this machine trusts.
///
/// # Errors
///
/// Says why there is none.
pub(crate) fn http_client() -> Result<reqwest::Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| {
            format!(
                "no HTTP client: the certificates that this machine trusts cannot be read: {error}; \
                 install the package ca-certificates or point SSL_CERT_FILE at a file of them"
            )
        })?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.with_no_client_auth())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("RedFlash/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("no HTTP client: {}", error_chain(&error)))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_client_does_not_go_where_an_answer_sends_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 302 Found\r\nlocation: {url}\r\nconnection: close\r\n\r\n");
        // Nobody listens after the answer, so that a second request fails.
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let response = http_client().unwrap().get(&url).send().await.unwrap();
        assert_eq!(response.status(), reqwest::StatusCode::FOUND);
    }
}
