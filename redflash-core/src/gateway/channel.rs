//! The trait that every channel implements.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use crate::clock::Timestamp;
use crate::delivery::Receipt;
use crate::gateway::{Authenticity, Callback, CallbackError};
use crate::inbound::InboundMessage;
use crate::message::{Accepted, OutboundMessage, SendError, SenderError};
use crate::model::{Address, AddressError, ChannelKind};

/// A kind of transport: hands messages to a gateway and reads its callbacks.
///
/// The contract, each line of which is a case of the channel conformance suite:
///
/// * [`send`](Self::send) makes exactly one request and never retries by itself.
/// * It ends within the deadline of its configuration, whatever the server does.
/// * Its error selects the next action; above all [`SendError::Unknown`] is used for every failure
///   after which the message may have gone out, and for no other.
/// * No credential appears in `Debug`, `Display` or any error chain.
/// * No answer makes it panic, and it reads only a bounded part of an answer.
#[async_trait]
pub trait Channel: fmt::Debug + Send + Sync + 'static {
    /// Returns the kind of endpoint that this channel serves.
    fn kind(&self) -> ChannelKind;

    /// Returns the capabilities of this channel.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// Brings an address into normal form: equal destinations have equal texts.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if nothing could ever be sent there, with a reason for the person who typed
    /// it.
    fn parse_address(&self, raw: &str) -> Result<Address, AddressError>;

    /// Returns the part of the channel that fails as one with this address, such as a webhook's
    /// host.
    ///
    /// Each host has its own turn, limit and circuit breaker. `None` if all addresses fail
    /// together.
    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        let _ = address;
        None
    }

    /// Returns our own address on this channel, which replies are sent to; a message from there is
    /// ours and is ignored.
    fn own_address(&self) -> Option<Address> {
        None
    }

    /// Returns the settings that the channel derived where the configuration is silent, each with
    /// the reason; for `redflash doctor`.
    fn derived_settings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Hands over one message, once.
    ///
    /// # Errors
    ///
    /// [`SendError`], by the action that follows.
    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError>;

    /// Returns true if a message can share a request with these, which already go together.
    ///
    /// Callers of [`send_batch`](Self::send_batch) pass at least one other message.
    fn goes_with(&self, others: &[&OutboundMessage], message: &OutboundMessage) -> bool {
        let _ = (others, message);
        true
    }

    /// Hands over several messages in one request. Returns an answer for each, in their order.
    ///
    /// Called with at most [`Capabilities::batch`] messages, which [go together](Self::goes_with).
    /// A message without an answer has an unknown outcome. All share the deadline of one request,
    /// so this must not be a sequence of requests: a late one would make the caller give up
    /// messages that others have answered. By default each message has a request of its own, all at
    /// the same time.
    async fn send_batch(&self, messages: &[OutboundMessage]) -> Vec<Result<Accepted, SendError>> {
        join_all(messages.iter().map(|message| self.send(message))).await
    }

    /// Checks that a message may use this sender.
    ///
    /// # Errors
    ///
    /// [`SenderError`] names the allowed senders.
    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        let _ = sender;
        Err(SenderError::new("its sender cannot be chosen"))
    }

    /// Verifies the vendor's signature of a callback, if the channel is configured to.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Signature`] if it is missing, wrong, or too old at this time.
    fn authenticate(
        &self,
        callback: &Callback<'_>,
        now: Timestamp,
    ) -> Result<Authenticity, CallbackError> {
        let _ = (callback, now);
        Ok(Authenticity::Unsigned)
    }

    /// Parses a callback with delivery receipts. Pure: no I/O, no clock.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Unsupported`] for channels without receipts, otherwise the problem of the
    /// callback.
    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let _ = callback;
        Err(CallbackError::Unsupported)
    }

    /// Parses a callback with messages that people sent back. Pure: no I/O, no clock.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Unsupported`] for channels without replies, otherwise the problem of the
    /// callback.
    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let _ = callback;
        Err(CallbackError::Unsupported)
    }
}

/// A channel to share: a `Channel`, an `Arc` of one, or an `Arc<dyn Channel>`.
pub trait IntoChannel {
    /// Returns the channel behind an `Arc`.
    fn into_channel(self) -> Arc<dyn Channel>;
}

impl<T: Channel> IntoChannel for T {
    fn into_channel(self) -> Arc<dyn Channel> {
        Arc::new(self)
    }
}

impl<T: Channel> IntoChannel for Arc<T> {
    fn into_channel(self) -> Arc<dyn Channel> {
        self
    }
}

impl IntoChannel for Arc<dyn Channel> {
    fn into_channel(self) -> Arc<dyn Channel> {
        self
    }
}

/// The capabilities of a channel. Write `..Capabilities::default()`, since more may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent abilities, not a state"
)]
pub struct Capabilities {
    /// The gateway reports later whether a message arrived.
    pub receipts: bool,
    /// Recipients can reply.
    pub inbound: bool,
    /// Messages have a subject.
    pub subject: bool,
    /// The sender can be chosen per message.
    pub sender: bool,
    /// A message handed over twice under one delivery id arrives once.
    pub idempotent: bool,
    /// The maximum number of messages in one request.
    pub batch: u32,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            receipts: false,
            inbound: false,
            subject: false,
            sender: false,
            idempotent: false,
            batch: 1,
        }
    }
}
