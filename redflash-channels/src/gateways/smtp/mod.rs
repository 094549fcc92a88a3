//! Mail over SMTP (RFC 5321): the channel `email`.
//!
//! Each delivery is a mail of its own to one recipient. Its `Message-ID` is derived from the delivery's
//! id, so that mail servers can detect a repeat. The text names the notification.

mod config;
mod encoded_word;
mod hello;
mod mail;
mod pool;
mod reply;
mod stage;
mod step;

use std::fmt;

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use tokio::time::Instant;

pub use config::{SmtpConfig, SmtpTls};

use crate::ConfigError;
use mail::Letterhead;
pub(crate) use mail::parse_address;
use pool::Pool;
use stage::Stage;
use step::{Failure, step};

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
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: SmtpConfig) -> Result<Self, ConfigError> {
        let letterhead = Letterhead::new(&config)?;
        let pool = Pool::new(config, letterhead.from())?;
        Ok(Self { letterhead, pool })
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

    /// Accepts a mailbox, which replaces the gateway's, or a display name for it.
    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        if sender.trim().is_empty() || sender.chars().any(char::is_control) {
            let reason = "a sender must be a mailbox or a name, on one line";
            return Err(SenderError::new(reason));
        }
        Ok(())
    }

    /// Reports the derived EHLO name, since some servers refuse mail because of it.
    fn derived_settings(&self) -> Vec<String> {
        self.pool.hello().derived().into_iter().collect()
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let (envelope, mail) = self.letterhead.write(message)?;
        let end = Instant::now() + self.pool.timeout();
        let announced = self.pool.announce(&envelope, end).await;
        let mut connection = announced.map_err(Failure::send_error)?;
        let reply = step(Stage::Content, end, connection.message(&mail)).await;
        let answer = reply.map_err(Failure::send_error)?;
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
