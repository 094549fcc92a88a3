//! The inbox: messages that people send back.

use std::num::NonZeroU32;

use async_trait::async_trait;

use super::StoreError;
use crate::delivery::Delivery;
use crate::inbound::Inbound;
use crate::model::{DeliveryId, InboundId, Slug};

/// A query of inbound messages, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundFilter {
    /// Only messages from this contact.
    pub contact: Option<Slug>,
    /// Only messages before this one: the last of the previous page.
    pub before: Option<InboundId>,
    /// The maximum number of messages.
    pub limit: NonZeroU32,
}

/// The inbox: messages that people send back.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Records an inbound message; returns false if one with its gateway and message id exists.
    async fn record_inbound(&self, inbound: &Inbound) -> Result<bool, StoreError>;

    /// Returns true if a message with this id has arrived from a gateway.
    async fn has_inbound(&self, gateway: &Slug, message_id: &str) -> Result<bool, StoreError>;

    /// Returns the inbound messages that match a filter, newest first.
    async fn inbound(&self, filter: &InboundFilter) -> Result<Vec<Inbound>, StoreError>;

    /// Returns the delivery that a gateway accepted under this message id, or that has this id and
    /// went through that gateway.
    async fn delivery_of(
        &self,
        gateway: &Slug,
        delivery: Option<DeliveryId>,
        message_id: Option<&str>,
    ) -> Result<Option<Delivery>, StoreError>;
}
