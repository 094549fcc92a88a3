//! Connecting: hosts, encryption, and the setup of sessions.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use diesel::result::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use redflash_core::error_chain;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::OpenError;

/// Configuration of the connections to a Postgres server.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// `postgres://user:password@host/database`, as libpq has it. Several hosts may be named, of
    /// which the one that takes writes is used.
    ///
    /// `sslmode` is `disable` or `verify-full`. Without it, a connection to another machine is
    /// encrypted and its certificate verified, and one to this machine is neither.
    pub url: SecretString,
    /// The authorities that may have signed the server's certificate, as PEM; otherwise those that
    /// this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// The most connections at once, beside the one that listens.
    pub connections: usize,
    /// The time limit of a query, including getting a connection for it.
    pub timeout: Duration,
}

impl PostgresConfig {
    /// With the ordinary bounds: 10 connections, 5 s.
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            ca_file: None,
            connections: 10,
            timeout: Duration::from_secs(5),
        }
    }
}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    /// The location of the database, without credentials.
    database: String,
    tls: Option<MakeRustlsConnect>,
    /// The statements that set up every session.
    setup: String,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("encrypted", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

impl Connector {
    pub(super) fn new(given: &PostgresConfig) -> Result<Self, OpenError> {
        let (url, mode) = split(given.url.expose_secret())?;
        // The cause may quote the URL, and the URL holds a password.
        let mut config = Config::from_str(&url).map_err(|_| {
            OpenError::url("it cannot be read: write postgres://user:password@host/database")
        })?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::url("it names no host"));
        }
        let is_near = config.get_hosts().iter().all(is_this_machine);
        let is_encrypted = match mode.as_deref() {
            Some("disable") => false,
            Some("verify-full" | "require") => true,
            None => !is_near,
            Some(_) => {
                let reason = "sslmode is disable or verify-full; whatever is between would be \
                              encrypted without authentication";
                return Err(OpenError::url(reason));
            }
        };
        config
            .application_name("redflash")
            .connect_timeout(given.timeout)
            .tcp_user_timeout(given.timeout * 2)
            .keepalives_idle(Duration::from_secs(10))
            .target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite)
            .ssl_mode(if is_encrypted {
                SslMode::Require
            } else {
                SslMode::Disable
            });
        let tls = is_encrypted.then(|| tls(given.ca_file.as_deref()));
        let millis = given.timeout.as_millis();
        Ok(Self {
            database: database(&config),
            config,
            tls: tls.transpose()?,
            setup: format!(
                "SET statement_timeout = {millis}; SET lock_timeout = {millis}; \
                 SET idle_in_transaction_session_timeout = {}; \
                 SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; \
                 SET tcp_keepalives_count = 3;",
                millis * 4
            ),
        })
    }

    /// The hosts, ports and name of the database.
    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        let bad = |error: tokio_postgres::Error| {
            let reason = format!("{}: {}", self.database, error_chain(&error));
            ConnectionError::BadConnection(reason)
        };
        let mut conn = if let Some(tls) = &self.tls {
            let (client, connection) = self.config.connect(tls.clone()).await.map_err(bad)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        } else {
            let (client, connection) = self.config.connect(NoTls).await.map_err(bad)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        };
        conn.batch_execute(&self.setup)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
}

/// The hosts, ports and name of a database, such as `db.example.org:5432/redflash`.
fn database(config: &Config) -> String {
    const PORT: u16 = 5432;
    let ports = config.get_ports();
    let host = |(place, host): (usize, &Host)| {
        // One port can stand for all hosts.
        let port = ports.get(place).or(ports.first()).unwrap_or(&PORT);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(directory) => format!("{} (port {port})", directory.display()),
        }
    };
    let hosts: Vec<_> = config.get_hosts().iter().enumerate().map(host).collect();
    let name = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    format!("{}/{name}", hosts.join(","))
}

/// Takes `sslmode` out of a URL, since the driver does not know all its values.
fn split(url: &str) -> Result<(String, Option<String>), OpenError> {
    let Some((base, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), None));
    };
    let mut mode = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", _)) => {
                let reason = "sslrootcert belongs into the configuration, as postgres.ca_file";
                return Err(OpenError::url(reason));
            }
            _ => kept.push(pair),
        }
    }
    let rest = kept.join("&");
    let mark = if rest.is_empty() { "" } else { "?" };
    Ok((format!("{base}{mark}{rest}"), mode))
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let address = name.parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn tls(ca_file: Option<&Path>) -> Result<MakeRustlsConnect, OpenError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::url(&format!("no encryption: {error}")))?;
    let builder = match ca_file {
        None => builder
            .with_platform_verifier()
            .map_err(|error| OpenError::url(&format!("no trusted certificates: {error}")))?,
        Some(path) => {
            let bad = |reason: String| OpenError::CaFile {
                path: path.to_owned(),
                reason,
            };
            let mut roots = rustls::RootCertStore::empty();
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                roots
                    .add(certificate)
                    .map_err(|error| bad(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(bad("it holds no certificate".into()));
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(url: &str) -> Result<bool, String> {
        let connector = Connector::new(&PostgresConfig::new(url));
        connector
            .map(|connector| connector.tls.is_some())
            .map_err(|error| error_chain(&error))
    }

    #[test]
    fn encrypts_connections_to_other_machines() {
        for (url, wanted) in [
            ("postgres://u:p@127.0.0.1/db", false),
            ("postgres://u:p@localhost:5433/db", false),
            ("postgres://u@%2Fvar%2Frun%2Fpostgresql/db", false),
            ("postgres://u:p@db.example.org/db", true),
            ("postgres://u:p@localhost,db.example.org/db", true),
            ("postgres://u:p@localhost/db?sslmode=verify-full", true),
            ("postgres://u:p@db.example.org/db?sslmode=disable", false),
        ] {
            assert_eq!(encrypted(url), Ok(wanted), "{url}");
        }
    }

    #[test]
    fn names_hosts_ports_and_database_alone() {
        for (url, wanted) in [
            (
                "postgres://u:canary@db.example.org/db",
                "db.example.org:5432/db",
            ),
            ("postgres://u:canary@a:1,b:2/db", "a:1,b:2/db"),
            (
                "postgres://u:canary@[::1]:1/db?application_name=x",
                "::1:1/db",
            ),
            ("postgres://u:canary@%2Frun/db", "/run (port 5432)/db"),
        ] {
            let connector = Connector::new(&PostgresConfig::new(url)).unwrap();
            assert_eq!(connector.database(), wanted);
        }
    }

    #[test]
    fn rejects_bad_url_without_showing_its_password() {
        for url in [
            "postgres://u:canary@host/db?sslmode=prefer",
            "postgres://u:canary@host/db?nonsense=1",
            "postgres://u:canary@host:port/db",
            "postgres://u:canary@host/db?sslrootcert=x",
        ] {
            let refused = encrypted(url).unwrap_err();
            assert!(!refused.contains("canary"), "{refused}");
        }
    }
}
