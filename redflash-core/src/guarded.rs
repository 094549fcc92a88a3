//! A channel whose panics become errors.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tracing::error;

use crate::clock::Timestamp;
use crate::delivery::Receipt;
use crate::gateway::{Authenticity, Callback, CallbackError, Capabilities, Channel};
use crate::inbound::InboundMessage;
use crate::message::{Accepted, OutboundMessage, SendError, SenderError};
use crate::model::{Address, AddressError, ChannelKind};
use crate::panicked::{Panicked, caught, caught_now};

/// Calls a channel so that none of its panics reaches the engine. Its kind and its capabilities,
/// which do not change, are read once.
pub(crate) struct Guarded {
    channel: Arc<dyn Channel>,
    kind: ChannelKind,
    capabilities: Capabilities,
}

impl Guarded {
    /// Guards a channel. If it panics when asked for its capabilities, it has the default ones.
    pub(crate) fn new(channel: Arc<dyn Channel>) -> Self {
        let kind = channel.kind();
        let capabilities = caught_now(|| channel.capabilities()).unwrap_or_else(|panicked| {
            error!(%kind, error = %panicked, "could not read a channel's capabilities");
            Capabilities::default()
        });
        Self {
            channel,
            kind,
            capabilities,
        }
    }

    /// Returns what a call returns, or `otherwise` if it panics.
    fn call<'a, T>(
        &'a self,
        call: impl FnOnce(&'a dyn Channel) -> T,
        otherwise: impl FnOnce(String) -> T,
    ) -> T {
        caught_now(|| call(&*self.channel)).unwrap_or_else(|panicked| {
            error!(kind = %self.kind, error = %panicked, "a channel panicked");
            otherwise(reason(&panicked))
        })
    }
}

fn reason(panicked: &Panicked) -> String {
    format!("the channel {panicked}")
}

fn unknown(panicked: &Panicked) -> SendError {
    SendError::Unknown(reason(panicked).into())
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt(f)
    }
}

#[async_trait]
impl Channel for Guarded {
    fn kind(&self) -> ChannelKind {
        self.kind.clone()
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        self.call(
            |channel| channel.parse_address(raw),
            |reason| Err(AddressError::new(reason)),
        )
    }

    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        self.call(|channel| channel.host(address), |_| None)
    }

    fn own_address(&self) -> Option<Address> {
        self.call(Channel::own_address, |_| None)
    }

    fn derived_settings(&self) -> Vec<String> {
        self.call(Channel::derived_settings, |reason| vec![reason])
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        // In a block, since a channel may panic before it returns a future.
        caught(async { self.channel.send(message).await })
            .await
            .unwrap_or_else(|panicked| Err(unknown(&panicked)))
    }

    fn goes_with(&self, others: &[&OutboundMessage], message: &OutboundMessage) -> bool {
        self.call(|channel| channel.goes_with(others, message), |_| false)
    }

    async fn send_batch(&self, messages: &[OutboundMessage]) -> Vec<Result<Accepted, SendError>> {
        caught(async { self.channel.send_batch(messages).await })
            .await
            .unwrap_or_else(|panicked| messages.iter().map(|_| Err(unknown(&panicked))).collect())
    }

    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        self.call(
            |channel| channel.check_sender(sender),
            |reason| Err(SenderError::new(reason)),
        )
    }

    fn authenticate(
        &self,
        callback: &Callback<'_>,
        now: Timestamp,
    ) -> Result<Authenticity, CallbackError> {
        self.call(
            |channel| channel.authenticate(callback, now),
            |reason| Err(CallbackError::Signature(reason.into())),
        )
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        self.call(
            |channel| channel.parse_receipts(callback),
            |reason| Err(CallbackError::Malformed(reason.into())),
        )
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        self.call(
            |channel| channel.parse_inbound(callback),
            |reason| Err(CallbackError::Malformed(reason.into())),
        )
    }
}
