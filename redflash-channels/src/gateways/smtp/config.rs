//! How mail is sent.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

/// How mail is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// The server.
    pub host: String,
    /// Its port: 465, 587 or 25 by default, as `tls` goes.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected; `starttls` by default.
    #[serde(default)]
    pub tls: SmtpTls,
    /// A file of certificates in PEM that are trusted beside those this machine trusts.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The name to log in with; without one there is no login.
    #[serde(default)]
    pub username: Option<String>,
    /// The password to log in with.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// Who mail is from, such as `RedFlash <alerts@example.org>`.
    pub from: String,
    /// Where answers go, when not to the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The name this machine gives itself in EHLO, such as `alerts.example.org`; the host name by
    /// default, or the domain of `from` when the host name has no dot.
    #[serde(default)]
    pub ehlo_name: Option<String>,
    /// The subject, as a template over `subject` and `message`; `{{subject}}` by default.
    #[serde(default = "subject")]
    pub subject: String,
    /// How long a hand-over may take from connection to last answer; 20 s by default.
    #[serde(default = "timeout", with = "crate::text::duration")]
    pub timeout: Duration,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// TLS from the first byte (RFC 8314), on port 465.
    Tls,
    /// TLS after `STARTTLS` (RFC 3207), without which nothing is sent, on port 587.
    #[default]
    Starttls,
    /// None: mail and password can be read on the way. On port 25.
    None,
}

fn subject() -> String {
    "{{subject}}".into()
}

const fn timeout() -> Duration {
    Duration::from_secs(20)
}

impl SmtpConfig {
    /// Mail through this server, under STARTTLS and without a login.
    ///
    /// * `from` - who it is from, such as `RedFlash <alerts@example.org>`.
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

    /// The port to connect to.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            SmtpTls::Tls => 465,
            SmtpTls::Starttls => 587,
            SmtpTls::None => 25,
        })
    }
}
