//! What a way of telling has to do: the trait that every gateway implements.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use crate::{
    Accepted, Address, AddressError, Authenticity, Callback, CallbackError, ChannelKind,
    InboundMessage, OutboundMessage, Receipt, SendError, SenderError, Timestamp,
};

/// A way of telling: hands one message at a time to a gateway and reads what the gateway says later.
///
/// The contract, each line of which is a case of the channel conformance suite:
///
/// * [`send`](Self::send) makes exactly one request and never retries by itself.
/// * It ends within the deadline of its configuration, whatever the peer does.
/// * Its error says what the caller does next; above all [`SendError::Unknown`] is used for every
///   failure after which the message may have gone out, and for no other.
/// * No credential appears in `Debug`, `Display` or any error chain.
/// * Nothing a peer answers makes it panic, and no more than a bounded part of an answer is read.
#[async_trait]
pub trait Channel: fmt::Debug + Send + Sync + 'static {
    /// The kind of endpoint this channel serves.
    fn kind(&self) -> ChannelKind;

    /// What this channel can do.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// Brings an address into its normal form, in which equal places are equal texts.
    ///
    /// # Errors
    ///
    /// [`AddressError`] when nothing could ever be sent there, in words for the person who typed it.
    fn parse_address(&self, raw: &str) -> Result<Address, AddressError>;

    /// The part of the channel that fails as one with this address, such as a webhook's host.
    ///
    /// Each has its own turn, its own limit and its own circuit breaker. `None` when all addresses
    /// share the gateway's fate.
    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        let _ = address;
        None
    }

    /// Our own address on this channel, where people's answers come to; what comes from there is
    /// nobody's.
    fn own_address(&self) -> Option<Address> {
        None
    }

    /// Settings that the channel has derived where the configuration is silent, each with the reason;
    /// for `redflash doctor`.
    fn derived_settings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Hands one message over, once.
    ///
    /// # Errors
    ///
    /// [`SendError`], by what the caller does next.
    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError>;

    /// Returns true if a message can share a request with these, which already go together.
    ///
    /// Callers of [`send_batch`](Self::send_batch) pass at least one other message.
    fn goes_with(&self, others: &[&OutboundMessage], message: &OutboundMessage) -> bool {
        let _ = (others, message);
        true
    }

    /// Hands several messages over in one request. Answers for each, in their order.
    ///
    /// CallbackOutcome with at most [`Capabilities::batch`] messages, which [go together](Self::goes_with); the
    /// caller takes a message without an answer for one whose outcome is unknown. All share the
    /// deadline of one request, so this must be no sequence of requests, of which a late one would
    /// make the caller give up what others have answered. By default each message has a request of
    /// its own, all at the same time.
    async fn send_batch(&self, messages: &[OutboundMessage]) -> Vec<Result<Accepted, SendError>> {
        join_all(messages.iter().map(|message| self.send(message))).await
    }

    /// Whether a message may say that it comes from this sender.
    ///
    /// # Errors
    ///
    /// [`SenderError`] says what this gateway allows.
    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        let _ = sender;
        Err(SenderError::new("its sender cannot be chosen"))
    }

    /// Checks the vendor's signature of a callback, for channels that are configured to.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Signature`] when it is missing, wrong, or too old at this time.
    fn authenticate(
        &self,
        callback: &Callback<'_>,
        now: Timestamp,
    ) -> Result<Authenticity, CallbackError> {
        let _ = (callback, now);
        Ok(Authenticity::Unsigned)
    }

    /// Reads a delivery-receipt callback. Pure: no I/O, no clock.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Unsupported`] for channels without receipts, otherwise what is wrong with
    /// the callback.
    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let _ = callback;
        Err(CallbackError::Unsupported)
    }

    /// Reads a message that a person sent back. Pure: no I/O, no clock.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Unsupported`] for channels without replies, otherwise what is wrong with
    /// the callback.
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

/// What a channel can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent abilities, not a state"
)]
pub struct Capabilities {
    /// The gateway reports later what became of a message.
    pub receipts: bool,
    /// People can answer.
    pub inbound: bool,
    /// Messages have a subject.
    pub subject: bool,
    /// The sender can be chosen per message.
    pub sender: bool,
    /// A message handed over twice under one delivery id arrives once.
    pub idempotent: bool,
    /// How many messages go into one request.
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
