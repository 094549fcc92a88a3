//! What a gateway's receipt does to a delivery.

use super::{MemoryStore, Row, State};
use crate::store::ReceiptEffect;
use crate::{Delivery, DeliveryState, Receipt, ReceiptState, Slug, Timestamp};

/// How many receipts are kept that came before what they are about.
const EARLY: usize = 10_000;

impl MemoryStore {
    pub(super) fn receive(
        &self,
        gateway: &Slug,
        receipt: &Receipt,
        now: Timestamp,
    ) -> ReceiptEffect {
        let mut state = self.state();
        let Some(row) = state.of_receipt(gateway, receipt) else {
            if receipt.delivery.is_none() {
                state.keep_early(gateway, receipt);
            }
            return ReceiptEffect::Unmatched;
        };
        let id = row.delivery.id;
        if row.delivery.state == DeliveryState::Sending {
            state.keep_early(gateway, receipt);
            return ReceiptEffect::Applied(id);
        }
        if apply(&mut row.delivery, receipt, now) {
            ReceiptEffect::Applied(id)
        } else {
            ReceiptEffect::Known(id)
        }
    }
}

impl State {
    fn of_receipt(&mut self, gateway: &Slug, receipt: &Receipt) -> Option<&mut Row> {
        if let Some(id) = receipt.delivery {
            let row = self.deliveries.get_mut(&id)?;
            let ours = match &row.delivery.gateway {
                Some(last) => last == gateway || row.delivery.state == DeliveryState::Sending,
                None => row.delivery.state == DeliveryState::Sending,
            };
            return ours.then_some(row);
        }
        let message_id = receipt.message_id.as_ref()?;
        self.deliveries.values_mut().find(|row| {
            row.delivery.message_id.as_ref() == Some(message_id)
                && row.delivery.gateway.as_ref() == Some(gateway)
        })
    }

    fn keep_early(&mut self, gateway: &Slug, receipt: &Receipt) {
        if self.early_receipts.len() == EARLY {
            self.early_receipts.pop_front();
        }
        self.early_receipts
            .push_back((gateway.clone(), receipt.clone()));
    }

    /// Applies what came before the delivery was known to be sent through this gateway.
    pub(super) fn apply_early(&mut self, id: crate::DeliveryId, now: Timestamp) {
        let Some(row) = self.deliveries.get_mut(&id) else {
            return;
        };
        let delivery = &mut row.delivery;
        self.early_receipts.retain(|(gateway, receipt)| {
            let named = match receipt.delivery {
                Some(named) => named == id,
                None => receipt.message_id.is_some() && receipt.message_id == delivery.message_id,
            };
            if !named || Some(gateway) != delivery.gateway.as_ref() {
                return true;
            }
            apply(delivery, receipt, now);
            false
        });
    }
}

/// Moves a delivery forward; `false` when the receipt says nothing new.
fn apply(delivery: &mut Delivery, receipt: &Receipt, now: Timestamp) -> bool {
    let mut changed = false;
    if delivery.price.is_none() && receipt.price.is_some() {
        delivery.price.clone_from(&receipt.price);
        changed = true;
    }
    let next = match (delivery.state, receipt.state) {
        (
            DeliveryState::Queued | DeliveryState::Sent | DeliveryState::Failed,
            ReceiptState::Delivered,
        ) => DeliveryState::Delivered,
        (DeliveryState::Sent, ReceiptState::Failed) => DeliveryState::Failed,
        _ => return changed,
    };
    delivery.state = next;
    delivery.due_at = now;
    delivery.detail.clone_from(&receipt.detail);
    true
}
