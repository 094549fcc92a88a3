//! The web admin and its logins.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use redflash_channels::read_secret_file;
use redflash_core::error_chain;
use redflash_http::{OidcConfig, UserClaim};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use super::duration;
use super::source::Source;
use crate::error::CliError;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Admin {
    #[serde(deserialize_with = "session")]
    pub(crate) session_idle: Duration,
    #[serde(deserialize_with = "session")]
    pub(crate) session_length: Duration,
    /// Retention of the audit log; `None` keeps it forever.
    #[serde(deserialize_with = "kept")]
    pub(crate) keep_audit: Option<Duration>,
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) oidc: Option<Oidc>,
}

/// Default retention of the audit log.
const KEEP_AUDIT: Duration = Duration::from_secs(730 * 24 * 60 * 60);

impl Default for Admin {
    fn default() -> Self {
        let admin = redflash_http::HttpSettings::default();
        Self {
            session_idle: admin.session_idle,
            session_length: admin.session_length,
            keep_audit: Some(KEEP_AUDIT),
            trusted_proxies: admin.trusted_proxies.into_iter().map(Network).collect(),
            oidc: None,
        }
    }
}

impl Admin {
    /// Rejects values that have the right type but are out of range or contradict each other.
    pub(super) fn check(
        &self,
        public_url: Option<&str>,
        source: &Source<'_>,
    ) -> Result<(), CliError> {
        if self.session_idle > self.session_length {
            let reason = "it must not exceed session_length";
            return Err(source.key("admin.session_idle", reason));
        }
        match &self.oidc {
            Some(oidc) => oidc.check(public_url, source),
            None => Ok(()),
        }
    }
}

/// Deserializes the duration of a session, from a minute to a year.
fn session<'de, D: Deserializer<'de>>(reader: D) -> Result<Duration, D::Error> {
    const MINUTE: Duration = Duration::from_secs(60);
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let text = String::deserialize(reader)?;
    let parsed = duration::parse(&text).ok();
    let parsed = parsed.filter(|length| (MINUTE..=YEAR).contains(length));
    parsed.ok_or_else(|| {
        let reason = format!("{text:?} is not a duration from 1m to 365d, such as \"12h\"");
        D::Error::custom(reason)
    })
}

/// Deserializes a retention time: at least an hour, or `forever`.
fn kept<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Duration>, D::Error> {
    const SHORTEST: Duration = Duration::from_secs(60 * 60);
    let text = String::deserialize(reader)?;
    if text == "forever" {
        return Ok(None);
    }
    let parsed = duration::parse(&text).ok();
    match parsed.filter(|length| *length >= SHORTEST) {
        Some(length) => Ok(Some(length)),
        None => Err(D::Error::custom(format!(
            "{text:?} is neither a duration of at least 1h, such as \"730d\", nor \"forever\""
        ))),
    }
}

/// A network, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Network(pub(crate) IpNet);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse::<IpNet>().or_else(|_| address());
        network
            .map(Self)
            .map_err(|_| format!("{text:?} is not an address or network, such as \"10.0.0.0/8\""))
    }
}

/// The OpenID provider through which users log in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oidc {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<ClientSecret>,
    pub(crate) client_secret_file: Option<PathBuf>,
    #[serde(default = "scopes")]
    pub(crate) scopes: Vec<String>,
    #[serde(default = "label")]
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) user_claim: UserClaim,
    pub(crate) role_claim: Option<String>,
    #[serde(default)]
    pub(crate) admin_values: Vec<String>,
    #[serde(default)]
    pub(crate) viewer_values: Vec<String>,
    #[serde(default)]
    pub(crate) create_users: bool,
    #[serde(default = "timeout", deserialize_with = "duration::deserialize")]
    pub(crate) timeout: Duration,
}

fn scopes() -> Vec<String> {
    OidcConfig::SCOPES.map(Into::into).into()
}

fn label() -> String {
    "Log in with OpenID".into()
}

fn timeout() -> Duration {
    OidcConfig::TIMEOUT
}

/// The secret that authenticates RedFlash to the provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct ClientSecret(pub(crate) SecretString);

impl PartialEq for ClientSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for ClientSecret {}

impl Oidc {
    /// Reads the client secret from its file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub(super) fn read_secret(&mut self, source: &Source<'_>) -> Result<(), CliError> {
        let Some(path) = &self.client_secret_file else {
            return Ok(());
        };
        let invalid = |reason: &str| source.key("admin.oidc.client_secret_file", reason);
        let secret = read_secret_file(path).map_err(|error| {
            let path = path.display();
            invalid(&format!("cannot read {path}: {}", error_chain(&error)))
        })?;
        self.client_secret = Some(ClientSecret(secret));
        Ok(())
    }

    /// As [`Admin::check`].
    fn check(&self, public_url: Option<&str>, source: &Source<'_>) -> Result<(), CliError> {
        let (key, reason) = if !is_protected(&self.issuer) {
            (
                "issuer",
                "it must start with https://; http:// is allowed only for the local machine",
            )
        } else if self.client_id.is_empty() {
            ("client_id", "it must not be empty")
        } else if self.has_empty_secret() {
            ("client_secret", "it must not be empty")
        } else if self.label.trim().is_empty() {
            ("label", "it must not be empty")
        } else if self.role_claim.as_ref().is_some_and(String::is_empty) {
            ("role_claim", "it must not be empty")
        } else if self.role_claim.is_some() != self.has_values() {
            (
                "role_claim",
                "it requires admin_values or viewer_values, and they require it",
            )
        } else if public_url.is_none() {
            let reason = "it is required, since the OpenID provider redirects browsers to it";
            return Err(source.key("server.public_url", reason));
        } else {
            return Ok(());
        };
        Err(source.key(&format!("admin.oidc.{key}"), reason))
    }

    fn has_empty_secret(&self) -> bool {
        let secret = self.client_secret.as_ref();
        secret.is_some_and(|secret| secret.0.expose_secret().is_empty())
    }

    fn has_values(&self) -> bool {
        !(self.admin_values.is_empty() && self.viewer_values.is_empty())
    }
}

/// Returns true if requests to the URL are encrypted or stay on the local machine.
fn is_protected(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let is_own = || match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(v4)) => IpAddr::from(v4).is_loopback(),
        Some(url::Host::Ipv6(v6)) => IpAddr::from(v6).is_loopback(),
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_own()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::load::tests::load_text;
    use super::*;

    #[test]
    fn parses_sessions_and_proxies() {
        let text = "[admin]\nsession_idle = \"30m\"\nsession_length = \"30d\"\n\
                    trusted_proxies = [\"10.0.0.0/8\", \"192.0.2.7\", \"fd00::/8\"]";
        let admin = load_text(text).unwrap().config.admin;
        assert_eq!(admin.session_idle, Duration::from_secs(30 * 60));
        assert_eq!(admin.session_length, Duration::from_secs(30 * 24 * 60 * 60));
        let proxies = admin.trusted_proxies.iter().map(|net| net.0.to_string());
        let proxies: Vec<_> = proxies.collect();
        assert_eq!(proxies, ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]);
    }

    #[test]
    fn names_invalid_session_and_proxy_with_its_line() {
        for (line, wanted) in [
            (
                "session_idle = \"59s\"",
                "FILE, line 2: admin.session_idle:",
            ),
            (
                "session_idle = \"-5m\"",
                "FILE, line 2: admin.session_idle:",
            ),
            ("session_idle = 600", "FILE, line 2: admin.session_idle:"),
            (
                "session_length = \"366d\"",
                "FILE, line 2: admin.session_length:",
            ),
            (
                "session_length = \"1h\"",
                "FILE, line 1: admin.session_idle:",
            ),
            ("session_idle = \"8d\"", "FILE, line 2: admin.session_idle:"),
            (
                "trusted_proxies = \"10.0.0.0/8\"",
                "FILE, line 2: admin.trusted_proxies:",
            ),
            (
                "trusted_proxies = [\"10.0.0.1\", \"10.0.0.0/33\"]",
                "FILE, line 2: admin.trusted_proxies[1]: \"10.0.0.0/33\" is not an address",
            ),
            ("session_lenght = \"1h\"", "`session_length`"),
        ] {
            let error = load_text(&format!("[admin]\n{line}\n")).unwrap_err();
            assert!(error.contains(wanted), "{line:?}: {error}");
        }
    }

    #[test]
    fn parses_audit_retention() {
        let kept = |text: &str| load_text(text).map(|loaded| loaded.config.admin.keep_audit);
        let days = |days: u64| Some(Duration::from_secs(days * 24 * 60 * 60));
        assert_eq!(kept(""), Ok(days(730)));
        assert_eq!(kept("[admin]\nkeep_audit = \"90d\""), Ok(days(90)));
        assert_eq!(kept("[admin]\nkeep_audit = \"forever\""), Ok(None));
        for bad in ["\"0d\"", "\"59m\"", "\"\"", "90", "\"always\""] {
            let error = kept(&format!("[admin]\nkeep_audit = {bad}")).unwrap_err();
            assert!(error.contains("admin.keep_audit"), "{error}");
        }
    }

    const LEAST: &str = "[server]\npublic_url = \"https://a.example\"\n\
                         [admin.oidc]\nissuer = \"https://b.example\"\nclient_id = \"c\"\n";

    fn oidc(more: &str) -> Result<Oidc, String> {
        let loaded = load_text(&format!("{LEAST}{more}"))?;
        Ok(loaded.config.admin.oidc.unwrap())
    }

    #[test]
    fn fills_in_defaults_of_provider() {
        let oidc = oidc("").unwrap();
        assert_eq!(oidc.scopes, ["profile", "email"]);
        assert_eq!(oidc.user_claim, UserClaim::PreferredUsername);
        assert_eq!(oidc.timeout, Duration::from_secs(10));
        assert!(!oidc.create_users);
    }

    #[test]
    fn reads_client_secret_from_file_and_hides_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "\u{feff}hush-hush\r\n").unwrap();
        let path = file.path().display();
        let oidc = oidc(&format!("client_secret_file = \"{path}\"")).unwrap();
        assert!(!format!("{oidc:?}").contains("hush"));
        let secret = oidc.client_secret.unwrap().0;
        assert_eq!(secret.expose_secret(), "hush-hush");
    }

    #[test]
    fn names_invalid_provider_setting_with_its_line() {
        let empty = tempfile::NamedTempFile::new().unwrap();
        let empty = format!("client_secret_file = \"{}\"", empty.path().display());
        for (more, wanted) in [
            ("client_secret = 5", "line 6: admin.oidc.client_secret:"),
            ("client_secret = \"\"", "line 6: admin.oidc.client_secret:"),
            (&empty, "line 3: admin.oidc.client_secret:"),
            (
                "client_secret_file = \"/nowhere\"",
                "line 6: admin.oidc.client_secret_file: cannot read /nowhere",
            ),
            (
                "client_secret = \"a\"\nclient_secret_file = \"/nowhere\"",
                "line 7: admin.oidc.client_secret_file: set either client_secret or",
            ),
            ("user_claim = \"nick\"", "line 6: admin.oidc.user_claim:"),
            ("role_claim = \"groups\"", "line 6: admin.oidc.role_claim:"),
            ("admin_values = [\"ops\"]", "admin.oidc.role_claim:"),
            ("timeout = \"-1s\"", "line 6: admin.oidc.timeout:"),
            ("label = \" \"", "line 6: admin.oidc.label:"),
            ("scope = []", "`scope`"),
        ] {
            let error = oidc(more).unwrap_err();
            assert!(error.contains(wanted), "{more:?}: {error}");
        }
        let without_url = LEAST.replace("public_url = \"https://a.example\"", "");
        let error = load_text(&without_url).unwrap_err();
        assert!(error.contains("server.public_url:"), "{error}");
    }

    #[test]
    fn requires_https_issuer_unless_local() {
        for (issuer, is_taken) in [
            ("https://b.example/realm/", true),
            ("http://127.0.0.1:5000", true),
            ("http://[::1]:5000", true),
            ("http://localhost", true),
            ("http://b.example", false),
            ("http://localhost.b.example", false),
            ("b.example", false),
            ("ftp://b.example", false),
        ] {
            let text = LEAST.replace("https://b.example", issuer);
            let loaded = load_text(&text).map(drop);
            assert_eq!(loaded.is_ok(), is_taken, "{issuer}: {loaded:?}");
        }
    }
}
