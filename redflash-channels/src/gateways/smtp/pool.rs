//! The pool of connections to the mail server.

use std::fmt;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use redflash_core::error_chain;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::hello::Hello;
use super::stage::Stage;
use super::step::{Failure, step};
use super::{SmtpConfig, SmtpTls};
use crate::ConfigError;

/// Maximum number of idle connections.
const MAX_IDLE: usize = 8;
/// Maximum idle time of a connection: servers close it after some minutes at the latest.
const IDLE: Duration = Duration::from_secs(30);

/// Opens connections, and keeps idle ones for later use.
pub(super) struct Pool {
    config: SmtpConfig,
    tls: Option<TlsParameters>,
    /// The gateway's own address.
    from: lettre::Address,
    hello: Hello,
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
    pub(super) fn new(config: SmtpConfig, from: &lettre::Address) -> Result<Self, ConfigError> {
        if config.host.is_empty() {
            return Err(ConfigError::at("host", "it must not be empty"));
        }
        if config.port == Some(0) {
            return Err(ConfigError::at("port", "it must be from 1 to 65535"));
        }
        if config.username.is_some() != config.password.is_some() {
            let reason = "authentication needs both username and password (or password_file)";
            return Err(ConfigError::at("username", reason));
        }
        let tls = match config.tls {
            SmtpTls::None => None,
            SmtpTls::Tls | SmtpTls::Starttls => Some(tls(&config)?),
        };
        let hello = Hello::new(config.ehlo_name.as_deref(), from.domain())?;
        Ok(Self {
            config,
            tls,
            from: from.clone(),
            hello,
            idle: Mutex::default(),
        })
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.config.timeout
    }

    pub(super) const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Returns a connection on which the server waits for the text of a mail.
    ///
    /// A server may end the session of an idle connection at any time (RFC 5321, section 3.8). This does
    /// not concern the mail, which is sent over a new connection at once.
    pub(super) async fn announce(
        &self,
        envelope: &Envelope,
        end: Instant,
    ) -> Result<AsyncSmtpConnection, Failure> {
        if let Some(mut used) = self.take() {
            match self.name(&mut used, envelope, end).await {
                Ok(()) => return Ok(used),
                // The others have been idle for longer.
                Err(failure) if failure.ended_session() => self.lock().clear(),
                Err(failure) => return Err(failure),
            }
        }
        let mut new = self.open(end).await?;
        self.name(&mut new, envelope, end).await?;
        Ok(new)
    }

    /// Names sender and recipient, and announces the text.
    async fn name(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        end: Instant,
    ) -> Result<(), Failure> {
        let sender = Stage::Sender {
            is_ours: envelope.from() == Some(&self.from),
        };
        let from = Mail::new(envelope.from().cloned(), Vec::new());
        step(sender, end, connection.command(from)).await?;
        for to in envelope.to() {
            let recipient = connection.command(Rcpt::new(to.clone(), Vec::new()));
            step(Stage::Recipient, end, recipient).await?;
        }
        step(Stage::Data, end, connection.command(Data)).await?;
        Ok(())
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

    /// Opens a new connection, protected and authenticated as configured.
    async fn open(&self, end: Instant) -> Result<AsyncSmtpConnection, Failure> {
        let server = (&*self.config.host, self.config.port());
        let implicit_tls = match self.config.tls {
            SmtpTls::Tls => self.tls.clone(),
            SmtpTls::Starttls | SmtpTls::None => None,
        };
        let hello = self.hello.client_id();
        let connect = AsyncSmtpConnection::connect_tokio1(server, None, hello, implicit_tls, None);
        let mut connection = step(Stage::Connect, end, connect).await?;
        if let (SmtpTls::Starttls, Some(tls)) = (self.config.tls, &self.tls) {
            let upgrade = connection.starttls(tls.clone(), hello);
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
        let invalid =
            |reason: String| ConfigError::at("ca_file", format!("{}: {reason}", path.display()));
        let pem = fs::read(path).map_err(|error| invalid(error_chain(&error)))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|error| invalid(error_chain(&error)))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder
        .build_rustls()
        .map_err(|error| ConfigError::at("host", error_chain(&error)))
}
