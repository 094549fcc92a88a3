//! What people send back.

use std::num::NonZeroU32;

use async_trait::async_trait;

use super::StoreError;
use crate::{Delivery, DeliveryId, Inbound, InboundId, Slug};

/// Which inbound messages a query wants, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundFilter {
    /// Only those from this contact.
    pub contact: Option<Slug>,
    /// Only those that came before this one: the last of the page before.
    pub before: Option<InboundId>,
    /// At most so many.
    pub limit: NonZeroU32,
}

/// What people send back.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Records an inbound message; `false` when one of that gateway and message id is there already.
    async fn record_inbound(&self, inbound: &Inbound) -> Result<bool, StoreError>;

    /// Whether a message of this id has come from a gateway.
    async fn knows_inbound(&self, gateway: &Slug, message_id: &str) -> Result<bool, StoreError>;

    /// The inbound messages that a filter lets through, newest first.
    async fn inbound(&self, filter: &InboundFilter) -> Result<Vec<Inbound>, StoreError>;

    /// The delivery that a gateway took under its own id of the message, or that has this id and went
    /// through that gateway.
    async fn delivery_of(
        &self,
        gateway: &Slug,
        delivery: Option<DeliveryId>,
        message_id: Option<&str>,
    ) -> Result<Option<Delivery>, StoreError>;
}
