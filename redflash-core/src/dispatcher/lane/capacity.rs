//! The capacity of a lane: the deliveries that may be leased, and those that may be in flight.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::Lanes;
use crate::clock::Monotonic;
use crate::delivery::Lane;
use crate::dispatcher::gateway_health::breaker::Admission;
use crate::gateway::{Gateway, OnUnknown};

/// Number of deliveries that are leased for each that may be in flight, so that no gateway waits
/// for the next claim. Their leases are renewed meanwhile.
const LEASES_PER_SLOT: u32 = 4;

/// The free part of a lane's capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capacity {
    Slots(NonZeroU32),
    /// All slots are taken. The dispatcher wakes when one becomes free.
    Full,
    /// No gateway takes messages before this time.
    Closed(Monotonic),
}

impl Lanes {
    /// Returns the free slots of a lane for new deliveries: none while older ones wait in it.
    pub(crate) fn free_slots(&self, lane: &Lane, now: Monotonic) -> u32 {
        let waits = self.states.get(lane).is_some_and(|state| state.backlog);
        match self.free_capacity(lane, now) {
            Capacity::Slots(free) if !waits => free.get(),
            _ => 0,
        }
    }

    /// Returns the number of deliveries that may be leased.
    pub(super) fn max_leased(&self, lane: &Lane) -> u32 {
        let concurrency = self.max_in_flight(lane);
        if self.leases_ahead(lane) {
            concurrency.saturating_mul(LEASES_PER_SLOT)
        } else {
            concurrency
        }
    }

    /// Returns true if more deliveries are leased than may be in flight. After a crash, each leased
    /// delivery may have gone out. So none is leased ahead where that would set it aside. Batches
    /// are collected from leased deliveries.
    pub(super) fn leases_ahead(&self, lane: &Lane) -> bool {
        let holds = |gateway: &Arc<Gateway>| gateway.on_unknown == OnUnknown::Hold;
        let collects = |gateway: &Arc<Gateway>| gateway.channel.capabilities().batch > 1;
        let gateways = || self.gateways.of(lane.channel());
        gateways().any(collects) || self.cautious_until.is_none() && !gateways().any(holds)
    }

    /// Returns the number of deliveries that may be in flight.
    pub(super) fn max_in_flight(&self, lane: &Lane) -> u32 {
        let limits = self
            .gateways
            .of(lane.channel())
            .map(|gateway| gateway.limits.concurrency);
        limits.max().unwrap_or(1).max(1)
    }

    /// Returns the width of the gate: the deliveries that may be in flight, or all leased ones
    /// where they are collected into batches.
    pub(super) fn gate_width(&self, lane: &Lane) -> u32 {
        let mut gateways = self.gateways.of(lane.channel());
        if gateways.any(|gateway| gateway.channel.capabilities().batch > 1) {
            return self.max_leased(lane);
        }
        self.max_in_flight(lane)
    }

    pub(super) fn free_capacity(&self, lane: &Lane, now: Monotonic) -> Capacity {
        let in_flight = self.states.get(lane).map_or(0, |state| state.in_flight);
        let Some(free) = NonZeroU32::new(self.max_leased(lane).saturating_sub(in_flight)) else {
            return Capacity::Full;
        };
        let mut best: Option<NonZeroU32> = None;
        let mut earliest: Option<Monotonic> = None;
        let mut any = false;
        for gateway in self.gateways.of(lane.channel()) {
            any = true;
            let rate = self.rates.get(&gateway.name);
            let allowed = rate.map_or(Ok(u32::MAX), |rate| rate.available(now));
            let slots = match (self.admission(gateway, lane, now), allowed) {
                (Admission::Any, Ok(allowed)) => NonZeroU32::new(free.get().min(allowed)),
                (Admission::One, Ok(_)) => Some(NonZeroU32::MIN),
                (Admission::Wait(until), _) | (_, Err(until)) => {
                    earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
                    None
                }
            };
            best = best.max(slots);
        }
        match (best, earliest) {
            (Some(slots), _) => Capacity::Slots(slots),
            (None, Some(until)) => Capacity::Closed(until),
            // Deliveries of a channel without a gateway are claimed too, one at a time, so that
            // they end in a visible state.
            (None, None) if !any => Capacity::Slots(NonZeroU32::MIN),
            (None, None) => Capacity::Full,
        }
    }
}
