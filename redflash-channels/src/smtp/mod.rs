//! Mail over SMTP (RFC 5321): the channel `email`.
//!
//! Each delivery is a mail of its own to one recipient, with a `Message-ID` made of the delivery's
//! id, so that a repeat can be told by whoever stores mail. The text names the notification.

mod config;
mod mail;
mod pool;
mod stage;

use std::fmt;

use async_trait::async_trait;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use redflash_core::{
    Accepted, Address, AddressError, Capabilities, Channel, ChannelKind, OutboundMessage,
    SendError, SenderError,
};
use tokio::time::Instant;

pub use config::{SmtpConfig, SmtpTls};

use crate::ConfigError;
use mail::Letterhead;
pub(crate) use mail::parse_address;
use pool::Pool;
use stage::{Stage, step};

/// Sends mail through one server.
pub struct Smtp {
    letterhead: Letterhead,
    pool: Pool,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

impl Smtp {
    /// A channel of this configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the key.
    pub fn new(config: SmtpConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            letterhead: Letterhead::new(&config)?,
            pool: Pool::new(config)?,
        })
    }
}

#[async_trait]
impl Channel for Smtp {
    fn kind(&self) -> ChannelKind {
        ChannelKind::email()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            subject: true,
            sender: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(raw)
    }

    /// A mailbox in the place of the gateway's, or a name before it.
    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        if sender.trim().is_empty() || sender.chars().any(char::is_control) {
            let reason = "a sender is a mailbox or a name, on one line";
            return Err(SenderError::new(reason));
        }
        Ok(())
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let (envelope, mail) = self.letterhead.write(message)?;
        let end = Instant::now() + self.pool.timeout();
        let from = Mail::new(envelope.from().cloned(), Vec::new());
        let mut connection = self.pool.begin(from, end).await?;
        for to in envelope.to() {
            let recipient = connection.command(Rcpt::new(to.clone(), Vec::new()));
            step(Stage::Recipient, end, recipient).await?;
        }
        step(Stage::Sender, end, connection.command(Data)).await?;
        let answer = step(Stage::Content, end, connection.message(&mail)).await?;
        self.pool.keep(connection);
        let detail: Vec<_> = answer.message().collect();
        Ok(Accepted {
            detail: format!("{} {}", answer.code(), detail.join(" "))
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect(),
            ..Accepted::new(Some(mail::message_id(&self.letterhead, message)))
        })
    }
}
