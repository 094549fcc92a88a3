//! A channel without a network.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use tokio::sync::Semaphore;

use crate::login::HOSTILE;

/// Rejects messages to `refuse…` or `p-refuse…`, holds those to `wait…` until the gate opens, and accepts
/// all others. Its addresses begin with a letter.
#[derive(Clone, Debug)]
pub(crate) struct FakeChannel {
    sent: Arc<Mutex<Vec<OutboundMessage>>>,
    pub(crate) gate: Arc<Semaphore>,
}

impl Default for FakeChannel {
    fn default() -> Self {
        Self {
            sent: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }
}

#[async_trait]
impl Channel for FakeChannel {
    fn kind(&self) -> ChannelKind {
        fake_kind()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        let address = Address::new(raw)?;
        if !raw.starts_with(|first: char| first.is_ascii_alphabetic()) {
            let reason = format!("{raw:?} is no pager: a pager begins with a letter");
            return Err(AddressError::new(reason));
        }
        Ok(address)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        self.sent.lock().unwrap().push(message.clone());
        match message.to.as_str().trim_start_matches("p-") {
            to if to.starts_with("refuse") => Err(SendError::Rejected {
                reason: format!("{HOSTILE} is not here"),
            }),
            to if to.starts_with("wait") => {
                self.gate.acquire().await.unwrap().forget();
                Ok(Accepted::delivered("at last"))
            }
            _ => Ok(Accepted::new(Some("m-1".into()))),
        }
    }
}

impl FakeChannel {
    /// Returns the messages sent to an address.
    pub(crate) fn sent_to(&self, address: &str) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let there = sent.iter().filter(|one| one.to.as_str() == address);
        there.map(|one| one.body.clone()).collect()
    }
}

pub(crate) fn fake_kind() -> ChannelKind {
    ChannelKind::parse("pager").unwrap()
}
