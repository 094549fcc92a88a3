//! How many deliveries stand in each state: `{{> partials/tally page.tally}}`.

use std::collections::BTreeMap;

use redflash_core::{Delivery, DeliveryState};
use serde::Serialize;

/// How many deliveries stand in one state.
#[derive(Clone, Serialize)]
pub(crate) struct Tally {
    state: &'static str,
    count: usize,
}

impl Tally {
    /// The states in which deliveries stand, those first that somebody has to look at.
    pub(crate) fn of<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Vec<Self> {
        let mut states: BTreeMap<DeliveryState, usize> = BTreeMap::new();
        for delivery in deliveries {
            *states.entry(delivery.state).or_default() += 1;
        }
        let mut states: Vec<_> = states.into_iter().collect();
        states.sort_by_key(|(state, _)| urgency(*state));
        let tally = states.into_iter().map(|(state, count)| Self {
            state: state.as_str(),
            count,
        });
        tally.collect()
    }
}

/// Least for what somebody has to look at.
pub(crate) const fn urgency(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Failed | DeliveryState::Quarantined | DeliveryState::Suppressed => 0,
        DeliveryState::Queued | DeliveryState::Sending => 1,
        DeliveryState::Cancelled => 2,
        DeliveryState::Sent | DeliveryState::Delivered => 3,
    }
}
