//! Connections to the mail server, kept for a while after use.

use std::fmt;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::Mail;
use lettre::transport::smtp::extension::ClientId;
use redflash_core::{SendError, report};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout_at};

use super::stage::{Stage, step};
use super::{SmtpConfig, SmtpTls};
use crate::ConfigError;

/// How many unused connections are kept.
const MAX_IDLE: usize = 8;
/// How long an unused connection is kept: servers close them after some minutes at the latest.
const IDLE: Duration = Duration::from_secs(30);

/// Opens connections, and keeps some that were used.
pub(super) struct Pool {
    config: SmtpConfig,
    tls: Option<TlsParameters>,
    hello: ClientId,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("host", &self.config.host)
            .field("port", &self.config.port())
            .field("tls", &self.config.tls)
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(config: SmtpConfig) -> Result<Self, ConfigError> {
        if config.host.is_empty() {
            return Err(ConfigError::at("host", "it must not be empty"));
        }
        if config.port == Some(0) {
            return Err(ConfigError::at("port", "it must be from 1 to 65535"));
        }
        if config.username.is_some() != config.password.is_some() {
            let reason = "a login needs both username and password (or password_file)";
            return Err(ConfigError::at("username", reason));
        }
        let tls = match config.tls {
            SmtpTls::None => None,
            SmtpTls::Tls | SmtpTls::Starttls => Some(tls(&config)?),
        };
        Ok(Self {
            config,
            tls,
            hello: ClientId::default(),
            idle: Mutex::default(),
        })
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.config.timeout
    }

    /// A connection on which the sender has been named.
    pub(super) async fn begin(
        &self,
        from: Mail,
        end: Instant,
    ) -> Result<AsyncSmtpConnection, SendError> {
        while let Some(mut used) = self.take() {
            match timeout_at(end, used.command(from.clone())).await {
                Ok(Ok(_)) => return Ok(used),
                Ok(Err(fault)) if fault.status().is_some() => {
                    return Err(Stage::Sender.failure(fault));
                }
                // The server has closed it meanwhile: nothing was sent.
                Ok(Err(_)) => {}
                Err(_) => return Err(Stage::Sender.silence()),
            }
        }
        let mut new = self.open(end).await?;
        step(Stage::Sender, end, new.command(from)).await?;
        Ok(new)
    }

    /// Keeps a connection for the next mail.
    pub(super) fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.lock();
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        if idle.len() < MAX_IDLE {
            idle.push((connection, Instant::now()));
        }
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.lock();
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        idle.pop().map(|(connection, _)| connection)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(AsyncSmtpConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection, protected and logged in as the configuration says.
    async fn open(&self, end: Instant) -> Result<AsyncSmtpConnection, SendError> {
        let server = (&*self.config.host, self.config.port());
        let at_once = match self.config.tls {
            SmtpTls::Tls => self.tls.clone(),
            SmtpTls::Starttls | SmtpTls::None => None,
        };
        let connect = AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, at_once, None);
        let mut connection = step(Stage::Connect, end, connect).await?;
        if let (SmtpTls::Starttls, Some(tls)) = (self.config.tls, &self.tls) {
            let upgrade = connection.starttls(tls.clone(), &self.hello);
            step(Stage::Connect, end, upgrade).await?;
        }
        if let (Some(name), Some(password)) = (&self.config.username, &self.config.password) {
            let password = password.expose_secret().to_owned();
            let credentials = Credentials::new(name.clone(), password);
            let login = connection.auth(DEFAULT_MECHANISMS, &credentials);
            step(Stage::Login, end, login).await?;
        }
        Ok(connection)
    }
}

fn tls(config: &SmtpConfig) -> Result<TlsParameters, ConfigError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let wrong =
            |reason: String| ConfigError::at("ca_file", format!("{}: {reason}", path.display()));
        let pem = fs::read(path).map_err(|fault| wrong(report(&fault)))?;
        let certificate = Certificate::from_pem(&pem).map_err(|fault| wrong(report(&fault)))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder
        .build_rustls()
        .map_err(|fault| ConfigError::at("host", report(&fault)))
}
