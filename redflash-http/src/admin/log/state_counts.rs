//! The number of deliveries in each state: `{{> partials/state-counts page.state_counts}}`.

use std::collections::BTreeMap;

use redflash_core::delivery::{Delivery, DeliveryState};
use serde::Serialize;

/// The number of deliveries in one state.
#[derive(Clone, Serialize)]
pub(crate) struct StateCount {
    state: &'static str,
    count: usize,
}

impl StateCount {
    /// Counts deliveries by state; states that need attention come first.
    pub(crate) fn of<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Vec<Self> {
        let mut states: BTreeMap<DeliveryState, usize> = BTreeMap::new();
        for delivery in deliveries {
            *states.entry(delivery.state).or_default() += 1;
        }
        let mut states: Vec<_> = states.into_iter().collect();
        states.sort_by_key(|(state, _)| urgency(*state));
        let counts = states.into_iter().map(|(state, count)| Self {
            state: state.as_str(),
            count,
        });
        counts.collect()
    }
}

/// Returns the sort key of a state: lowest for what needs attention.
pub(crate) const fn urgency(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Failed | DeliveryState::Quarantined | DeliveryState::Suppressed => 0,
        DeliveryState::Queued | DeliveryState::Sending => 1,
        DeliveryState::Cancelled => 2,
        _ => 3,
    }
}
