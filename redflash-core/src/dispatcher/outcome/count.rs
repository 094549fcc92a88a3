//! Counting deliveries as they end.

use crate::delivery::{Delivery, DeliveryState, Disposition, Settlement};
use crate::dispatcher::Dispatcher;
use crate::dispatcher::alarm::AlarmEvent;
use crate::model::Slug;

impl Dispatcher {
    /// Counts the deliveries that have ended without a settlement, and notifies their waiters.
    pub(crate) fn count_ended(&self, deliveries: &[Delivery]) {
        for delivery in deliveries.iter().filter(|one| one.state.is_final()) {
            count(delivery, delivery.state, delivery.gateway.as_ref());
            self.waiters.notify(delivery.notification);
        }
        let is_set_aside = |one: &&Delivery| one.state == DeliveryState::Quarantined;
        let set_aside = deliveries.iter().filter(is_set_aside).count();
        if set_aside > 0 {
            self.alarms.push(AlarmEvent::SetAside { set_aside });
        }
    }
}

/// Counts a delivery whose outcome was recorded, if that ended it.
pub(crate) fn count_settlement(settlement: &Settlement) {
    let Some(state) = end(&settlement.next) else {
        return;
    };
    let delivery = &settlement.delivery;
    let attempted = settlement.attempt.as_ref();
    let gateway = attempted.and_then(|attempt| attempt.gateway.as_ref());
    count(delivery, state, gateway.or(delivery.gateway.as_ref()));
}

fn count(delivery: &Delivery, state: DeliveryState, gateway: Option<&Slug>) {
    metrics::counter!(
        "redflash_deliveries_total",
        "state" => state.as_str(),
        "channel" => delivery.channel.to_string(),
        "gateway" => gateway.map_or_else(String::new, ToString::to_string),
    )
    .increment(1);
}

/// Returns the state in which a delivery ends; `None` if it goes back to the queue.
const fn end(next: &Disposition) -> Option<DeliveryState> {
    match next {
        Disposition::Done { accepted, .. } if accepted.delivered => Some(DeliveryState::Delivered),
        Disposition::Done { .. } => Some(DeliveryState::Sent),
        Disposition::Fail { .. } => Some(DeliveryState::Failed),
        Disposition::Cancel { .. } => Some(DeliveryState::Cancelled),
        Disposition::Suppress { .. } => Some(DeliveryState::Suppressed),
        Disposition::Hold { .. } => Some(DeliveryState::Quarantined),
        Disposition::Elsewhere { .. } | Disposition::Queue { .. } => None,
    }
}
