//! Leased deliveries.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::delivery::{Delivery, LeaseToken};
use crate::message::Message;
use crate::model::{Slug, Target};
use crate::template::Arguments;

/// A delivery leased to a dispatcher, with everything needed to hand it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The delivery.
    pub delivery: Delivery,
    /// Token of its lease.
    pub token: LeaseToken,
    /// Message to send.
    pub message: Arc<Message>,
    /// Target of the raise.
    pub target: Target,
    /// Time of the raise.
    pub raised_at: Timestamp,
    /// The API key it was raised with, which shares turns fairly with other keys.
    pub raised_by: Option<Slug>,
    /// The event's arguments, if they were small enough to be stored.
    pub arguments: Option<Arc<Arguments>>,
}
