//! Counting deliveries as they end.

use crate::{DeliveryState, Next, Settlement};

/// Counts a delivery whose outcome was recorded, if that ended it.
pub(super) fn count_end(settlement: &Settlement) {
    let Some(state) = end(&settlement.next) else {
        return;
    };
    let delivery = &settlement.delivery;
    let attempted = settlement.attempt.as_ref();
    let gateway = attempted.and_then(|attempt| attempt.gateway.as_ref());
    let gateway = gateway.or(delivery.gateway.as_ref());
    metrics::counter!(
        "redflash_deliveries_total",
        "state" => state.as_str(),
        "channel" => delivery.channel.to_string(),
        "gateway" => gateway.map_or_else(String::new, ToString::to_string),
    )
    .increment(1);
}

/// The state in which a delivery ends; `None` when it waits again.
const fn end(next: &Next) -> Option<DeliveryState> {
    match next {
        Next::Done { accepted, .. } if accepted.delivered => Some(DeliveryState::Delivered),
        Next::Done { .. } => Some(DeliveryState::Sent),
        Next::Fail { .. } => Some(DeliveryState::Failed),
        Next::Cancel { .. } => Some(DeliveryState::Cancelled),
        Next::Suppress { .. } => Some(DeliveryState::Suppressed),
        Next::Hold { .. } => Some(DeliveryState::Quarantined),
        Next::Elsewhere { .. } | Next::Queue { .. } => None,
    }
}
