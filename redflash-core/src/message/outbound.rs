//! Messages handed to a channel.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::model::{Address, DeliveryId, NotificationId, Target};
use crate::template::Arguments;

/// One message to one address, as handed to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundMessage {
    /// The notification it belongs to.
    pub notification: NotificationId,
    /// The delivery: the same for every attempt, so it can serve as an idempotency key.
    pub delivery: DeliveryId,
    /// Number of this attempt, counted from 1.
    pub attempt: u32,
    /// Time of the first attempt, which may be this one.
    pub first_attempt_at: Timestamp,
    /// Time of this attempt.
    pub at: Timestamp,
    /// Destination.
    pub to: Address,
    /// Subject, one line, for channels that have one.
    pub subject: String,
    /// Text.
    pub body: String,
    /// Sender, where the gateway allows a choice.
    pub sender: Option<String>,
    /// URL of the notification's page; set by the dispatcher.
    pub link: Option<String>,
    /// The raise it comes from; `None` for a test of the gateway.
    pub origin: Option<Origin>,
}

/// The raise that a message comes from, for channels that pass it on as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The target of the raise.
    pub target: Target,
    /// Time of the raise.
    pub raised_at: Timestamp,
    /// The event's arguments; `None` for a literal message, and for arguments too large to be
    /// stored.
    pub arguments: Option<Arc<Arguments>>,
}
