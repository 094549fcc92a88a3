//! A leased delivery.

use std::sync::Arc;

use crate::{Arguments, Delivery, LeaseToken, Message, Slug, Target, Timestamp};

/// A delivery leased to a dispatcher, with all that is needed to hand it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The delivery.
    pub delivery: Delivery,
    /// The lease it was claimed under.
    pub token: LeaseToken,
    /// What it says.
    pub message: Arc<Message>,
    /// What was raised.
    pub target: Target,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Whose turn it uses: the key it was raised with.
    pub raised_by: Option<Slug>,
    /// The event's arguments, as far as they are stored.
    pub arguments: Option<Arc<Arguments>>,
}
