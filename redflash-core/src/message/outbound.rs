//! What is handed to a gateway.

use std::sync::Arc;

use crate::{Address, Arguments, DeliveryId, NotificationId, Target, Timestamp};

/// One message to one address, as a channel gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundMessage {
    /// The notification it belongs to.
    pub notification: NotificationId,
    /// The delivery: the same for every attempt, so it serves as an idempotency key.
    pub delivery: DeliveryId,
    /// Which attempt this is, counted from 1.
    pub attempt: u32,
    /// The time of the first attempt: of this one, if it is the first.
    pub first_attempt_at: Timestamp,
    /// The time of this attempt.
    pub at: Timestamp,
    /// Where it goes.
    pub to: Address,
    /// The subject, one line, for channels that have one.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Who it says it comes from, where the gateway allows that.
    pub sender: Option<String>,
    /// The page of its notification, where people see what became of it; set by the dispatcher.
    pub link: Option<String>,
    /// The raise it comes from; `None` for a test of the gateway.
    pub origin: Option<Origin>,
}

/// The raise that a message comes from, for channels that pass it on as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The contact, group or event that was raised.
    pub target: Target,
    /// The time of the raise.
    pub raised_at: Timestamp,
    /// The event's arguments; `None` for a literal message, and for arguments too large to be
    /// stored.
    pub arguments: Option<Arc<Arguments>>,
}
