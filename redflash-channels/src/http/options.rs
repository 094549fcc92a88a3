//! The connections of a gateway that speaks HTTP.

use std::path::PathBuf;

use secrecy::SecretString;

/// The proxy and the certificates of a gateway's connections.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// The proxy for all requests, such as `http://user:password@proxy.example.org:3128`, or `none`.
    /// By default the one that `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` of the environment names,
    /// unless `NO_PROXY` excludes the host; requests to this machine itself never use that.
    ///
    /// Requests go through a tunnel (`CONNECT`), so the proxy must allow that to the gateway's port.
    pub proxy: Option<SecretString>,
    /// A PEM file of certificates that are trusted in addition to those of this machine.
    pub ca_file: Option<PathBuf>,
}
