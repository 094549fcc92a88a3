//! Receipts in memory, including those that come before their delivery's outcome.

use super::{DeliveryRow, MemoryStore, State};
use crate::clock::Timestamp;
use crate::delivery::Receipt;
use crate::model::{DeliveryId, Slug};
use crate::store::{ReceiptEffect, Received};

/// Maximum number of early receipts kept.
const MAX_EARLY: usize = 10_000;

impl MemoryStore {
    pub(super) fn receive(
        &self,
        gateway: &Slug,
        receipt: &Receipt,
        now: Timestamp,
    ) -> ReceiptEffect {
        let mut state = self.state();
        let Some(row) = state.row_of_receipt(gateway, receipt) else {
            if receipt.delivery.is_none() {
                state.keep_early(gateway, receipt);
            }
            return ReceiptEffect::Unmatched;
        };
        let id = row.entry.delivery.id;
        match row.entry.receive(gateway, receipt, now) {
            Received::Applied => ReceiptEffect::Applied(id),
            Received::Known => ReceiptEffect::Known(id),
            Received::NotOurs => ReceiptEffect::Unmatched,
            Received::Early => {
                state.keep_early(gateway, receipt);
                ReceiptEffect::Applied(id)
            }
        }
    }
}

impl State {
    fn row_of_receipt(&mut self, gateway: &Slug, receipt: &Receipt) -> Option<&mut DeliveryRow> {
        if let Some(id) = receipt.delivery {
            return self.deliveries.get_mut(&id);
        }
        let message_id = receipt.message_id.as_ref()?;
        self.deliveries.values_mut().find(|row| {
            row.entry.delivery.message_id.as_ref() == Some(message_id)
                && row.entry.delivery.gateway.as_ref() == Some(gateway)
        })
    }

    fn keep_early(&mut self, gateway: &Slug, receipt: &Receipt) {
        if self.early_receipts.len() == MAX_EARLY {
            self.early_receipts.pop_front();
        }
        self.early_receipts
            .push_back((gateway.clone(), receipt.clone()));
    }

    /// Applies the receipts that came before the delivery was recorded as sent.
    pub(super) fn apply_early(&mut self, id: DeliveryId) {
        let Some(row) = self.deliveries.get_mut(&id) else {
            return;
        };
        let entry = &mut row.entry;
        self.early_receipts.retain(|(gateway, receipt)| {
            let named = match receipt.delivery {
                Some(named) => named == id,
                None => {
                    receipt.message_id.is_some() && receipt.message_id == entry.delivery.message_id
                }
            };
            if !named {
                return true;
            }
            let at = entry.delivery.due_at;
            entry.receive(gateway, receipt, at) == Received::NotOurs
        });
    }
}
