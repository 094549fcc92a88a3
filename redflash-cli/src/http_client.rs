//! The HTTP client.

use std::sync::Arc;

use redflash_core::error_chain;
use rustls_platform_verifier::BuilderVerifierExt;

/// Creates a client that trusts the certificates of the system. It follows no redirects, which would
/// send keys, codes and tokens elsewhere.
///
/// # Errors
///
/// Returns an error if the certificates cannot be loaded.
pub(crate) fn http_client() -> Result<reqwest::Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| {
            format!(
                "cannot load the trusted certificates of the system: {error}; install the package \
                 ca-certificates or set SSL_CERT_FILE to a certificate file"
            )
        })?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.with_no_client_auth())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("RedFlash/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("cannot create the HTTP client: {}", error_chain(&error)))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn does_not_follow_redirects() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let response_text =
            format!("HTTP/1.1 302 Found\r\nlocation: {url}\r\nconnection: close\r\n\r\n");
        // The listener closes after one response, so that a second request fails.
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
            stream.write_all(response_text.as_bytes()).await.unwrap();
        });
        let response = http_client().unwrap().get(&url).send().await.unwrap();
        assert_eq!(response.status(), reqwest::StatusCode::FOUND);
    }
}
