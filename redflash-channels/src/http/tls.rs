//! Trusted certificates.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use redflash_core::error_chain;
use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use crate::ConfigError;

/// TLS settings with the certificates that this machine trusts, which are read once.
static PLATFORM: LazyLock<Result<ClientConfig, String>> =
    LazyLock::new(|| trusting(&[]).map_err(|error| error.to_string()));

/// Returns the TLS settings that trust the certificates of this machine, and those of a file.
///
/// # Errors
///
/// Returns a [`ConfigError`] at `ca_file` if it cannot be read or holds no certificates; without a key if
/// this machine trusts no certificates.
pub(super) fn config(ca_file: Option<&Path>) -> Result<ClientConfig, ConfigError> {
    let Some(path) = ca_file else {
        return PLATFORM.clone().map_err(|error| ConfigError {
            key: None,
            reason: format!(
                "the certificates that this machine trusts cannot be read: {error}; \
                 install the package ca-certificates or point SSL_CERT_FILE at a file of them"
            ),
        });
    };
    let wrong = |reason: String| ConfigError::at("ca_file", reason);
    let file = path.display();
    let pem = std::fs::read(path)
        .map_err(|error| wrong(format!("{file} cannot be read: {}", error_chain(&error))))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates
        .map_err(|error| wrong(format!("{file} is not valid PEM: {}", error_chain(&error))))?;
    if certificates.is_empty() {
        let reason = format!(
            "{file} holds no certificate: write each between -----BEGIN CERTIFICATE----- and \
             -----END CERTIFICATE-----"
        );
        return Err(wrong(reason));
    }
    trusting(&certificates)
        .map_err(|error| wrong(format!("{file} holds an invalid certificate: {error}")))
}

fn trusting(more: &[CertificateDer<'static>]) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(more, &provider)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

fn verifier(
    more: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let more = more.iter().cloned();
    Ok(Arc::new(Verifier::new_with_extra_roots(
        more,
        Arc::clone(provider),
    )?))
}
