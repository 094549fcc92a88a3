//! Inbound messages in memory.

use async_trait::async_trait;

use super::{DeliveryRow, MemoryStore};
use crate::delivery::Delivery;
use crate::inbound::Inbound;
use crate::model::{DeliveryId, Slug};
use crate::store::{InboundFilter, Inbox, StoreError};

#[async_trait]
impl Inbox for MemoryStore {
    async fn record_inbound(&self, inbound: &Inbound) -> Result<bool, StoreError> {
        let mut state = self.state();
        let same = |other: &Inbound| {
            other.message_id.is_some()
                && (&other.gateway, &other.message_id) == (&inbound.gateway, &inbound.message_id)
        };
        if state.inbound.values().any(same) {
            return Ok(false);
        }
        state.inbound.insert(inbound.id, inbound.clone());
        Ok(true)
    }

    async fn has_inbound(&self, gateway: &Slug, message_id: &str) -> Result<bool, StoreError> {
        let state = self.state();
        Ok(state.inbound.values().any(|known| {
            known.gateway == *gateway && known.message_id.as_deref() == Some(message_id)
        }))
    }

    async fn inbound(&self, filter: &InboundFilter) -> Result<Vec<Inbound>, StoreError> {
        let state = self.state();
        let wanted = state.inbound.values().rev().filter(|inbound| {
            let contact = filter.contact.as_ref();
            contact.is_none_or(|contact| inbound.contacts.contains(contact))
                && filter.before.is_none_or(|before| inbound.id < before)
        });
        Ok(wanted.take(filter.limit.get() as usize).cloned().collect())
    }

    async fn delivery_of(
        &self,
        gateway: &Slug,
        delivery: Option<DeliveryId>,
        message_id: Option<&str>,
    ) -> Result<Option<Delivery>, StoreError> {
        let state = self.state();
        let through =
            |row: &&DeliveryRow| -> bool { row.entry.delivery.gateway.as_ref() == Some(gateway) };
        let found = match delivery {
            Some(id) => state.deliveries.get(&id).filter(through),
            None => message_id.and_then(|message_id| {
                let ours = state.deliveries.values().filter(through);
                let named = |row: &&DeliveryRow| {
                    row.entry.delivery.message_id.as_deref() == Some(message_id)
                };
                ours.into_iter().find(named)
            }),
        };
        Ok(found.map(|row| row.entry.delivery.clone()))
    }
}
