//! The capacity of a lane: the deliveries that may be leased, and that may be under way.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::Lanes;
use crate::dispatcher::gateway_health::breaker::Admission;
use crate::{Gateway, Lane, Monotonic, OnUnknown};

/// How many deliveries are leased for each that may be under way, so that no gateway waits for the
/// next claim. Leases are renewed meanwhile.
const AHEAD: u32 = 4;

/// How much of a lane is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Slots(NonZeroU32),
    /// All slots are taken; one that becomes free wakes the dispatcher.
    Full,
    /// No gateway takes anything before this time.
    Closed(Monotonic),
}

impl Lanes {
    /// How many slots of a lane are free for what comes now: none while something waits in it.
    pub(crate) fn free(&self, lane: &Lane, now: Monotonic) -> u32 {
        let waits = self.states.get(lane).is_some_and(|state| state.backlog);
        match self.room(lane, now) {
            Room::Slots(free) if !waits => free.get(),
            _ => 0,
        }
    }

    /// How many deliveries may be leased.
    pub(super) fn capacity(&self, lane: &Lane) -> u32 {
        let concurrency = self.concurrency(lane);
        if self.leases_ahead(lane) {
            concurrency.saturating_mul(AHEAD)
        } else {
            concurrency
        }
    }

    /// Returns true if more is leased than may be under way. What is leased when the program crashes may
    /// have gone out for all that anybody knows, so nothing is where that would set it aside. Batches
    /// are collected from what is leased.
    pub(super) fn leases_ahead(&self, lane: &Lane) -> bool {
        let holds = |gateway: &Arc<Gateway>| gateway.on_unknown == OnUnknown::Hold;
        let collects = |gateway: &Arc<Gateway>| gateway.channel.capabilities().batch > 1;
        let gateways = || self.gateways.of(lane.channel());
        gateways().any(collects) || self.cautious_until.is_none() && !gateways().any(holds)
    }

    /// How many may be under way.
    pub(super) fn concurrency(&self, lane: &Lane) -> u32 {
        let limits = self
            .gateways
            .of(lane.channel())
            .map(|gateway| gateway.limits.concurrency);
        limits.max().unwrap_or(1).max(1)
    }

    /// How many go through the gate: as many as may be under way, or all that are leased where they
    /// are to be collected into batches.
    pub(super) fn width(&self, lane: &Lane) -> u32 {
        let mut gateways = self.gateways.of(lane.channel());
        if gateways.any(|gateway| gateway.channel.capabilities().batch > 1) {
            return self.capacity(lane);
        }
        self.concurrency(lane)
    }

    pub(super) fn room(&self, lane: &Lane, now: Monotonic) -> Room {
        let in_flight = self.states.get(lane).map_or(0, |state| state.in_flight);
        let Some(free) = NonZeroU32::new(self.capacity(lane).saturating_sub(in_flight)) else {
            return Room::Full;
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
            (Some(slots), _) => Room::Slots(slots),
            (None, Some(until)) => Room::Closed(until),
            // Deliveries of a channel without a gateway are claimed all the same, one at a time, so
            // that they end in a visible state.
            (None, None) if !any => Room::Slots(NonZeroU32::MIN),
            (None, None) => Room::Full,
        }
    }
}
