//! Configuration of mail over SMTP.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

/// Configuration of a mail server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// The server.
    pub host: String,
    /// Its port: 465, 587 or 25 by default, depending on `tls`.
    #[serde(default)]
    pub port: Option<u16>,
    /// The protection of the connection; `starttls` by default.
    #[serde(default)]
    pub tls: SmtpTls,
    /// A PEM file of certificates that are trusted in addition to those of this machine.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The user name; without it, there is no authentication.
    #[serde(default)]
    pub username: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// The sender, such as `RedFlash <alerts@example.org>`.
    pub from: String,
    /// The address for replies; the sender by default.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The name this machine gives itself in EHLO, such as `alerts.example.org`; the host name by
    /// default, or the domain of `from` when the host name has no dot.
    #[serde(default)]
    pub ehlo_name: Option<String>,
    /// The subject, as a template over `subject` and `message`; `{{subject}}` by default.
    #[serde(default = "subject")]
    pub subject: String,
    /// The time limit of a delivery, from connecting to the last reply; 20 s by default.
    #[serde(default = "timeout", with = "crate::text::duration")]
    pub timeout: Duration,
}

/// The protection of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// TLS from the first byte (RFC 8314), on port 465.
    Tls,
    /// TLS after a mandatory `STARTTLS` (RFC 3207), on port 587.
    #[default]
    Starttls,
    /// None, so that mail and password can be read in transit, on port 25.
    None,
}

fn subject() -> String {
    "{{subject}}".into()
}

const fn timeout() -> Duration {
    Duration::from_secs(20)
}

impl SmtpConfig {
    /// Creates a configuration with STARTTLS and without authentication.
    ///
    /// * `from` - the sender, such as `RedFlash <alerts@example.org>`.
    pub fn new(host: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            tls: SmtpTls::default(),
            ca_file: None,
            username: None,
            password: None,
            from: from.into(),
            reply_to: None,
            ehlo_name: None,
            subject: subject(),
            timeout: timeout(),
        }
    }

    /// Returns the port to connect to.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            SmtpTls::Tls => 465,
            SmtpTls::Starttls => 587,
            SmtpTls::None => 25,
        })
    }
}
