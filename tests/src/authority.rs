//! Certificates for servers on this machine.

use std::fmt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// A certificate authority of the test's own, and a certificate for `localhost` and 127.0.0.1 by it.
pub struct Authority {
    /// The authority's certificate in PEM. A client that trusts it trusts the server.
    pub certificate: String,
    pub(crate) acceptor: TlsAcceptor,
    /// The server's certificate in PEM.
    pub(crate) server_certificate: String,
    /// The key of the server's certificate in PEM.
    pub(crate) server_key: String,
}

impl Authority {
    /// Makes one.
    pub fn new() -> Self {
        Self::of_names(&["localhost", "127.0.0.1"])
    }

    /// Makes one, and the certificate for this name instead.
    pub fn naming(name: &str) -> Self {
        Self::of_names(&[name])
    }

    fn of_names(names: &[&str]) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL takes a certificate for self-signed when its issuer has the same name.
        let name = "The authority of a test";
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = names.iter().map(|name| (*name).to_owned());
        let certificate = CertificateParams::new(names.collect::<Vec<_>>())
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        Self {
            certificate: issuer.pem(),
            acceptor: Arc::new(config).into(),
            server_certificate: certificate.pem(),
            server_key: key.serialize_pem(),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}
