//! Slots of lanes, each for one leased delivery.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::Dispatcher;
use super::lane::Lanes;
use crate::delivery::Lane;

/// One slot of a lane, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(super) dispatcher: Arc<Dispatcher>,
    lane: Lane,
    pub(super) gate: Arc<Semaphore>,
}

impl Dispatcher {
    /// Takes a slot in each of these lanes that has room and in which nothing waits.
    pub(crate) fn reserve<'a>(
        self: &Arc<Self>,
        lanes: impl Iterator<Item = &'a Lane>,
    ) -> Vec<Option<Slot>> {
        let now = self.clock.monotonic();
        if !self.is_running() {
            return lanes.map(|_| None).collect();
        }
        let mut state = self.lanes();
        let mut free = HashMap::new();
        lanes
            .map(|lane| {
                let free = free
                    .entry(lane)
                    .or_insert_with(|| state.free_slots(lane, now));
                *free = free.checked_sub(1)?;
                state.take_slots(lane, 1);
                Some(self.slot(&mut state, lane))
            })
            .collect()
    }

    pub(super) fn slot(self: &Arc<Self>, state: &mut Lanes, lane: &Lane) -> Slot {
        Slot {
            gate: state.gate(lane),
            dispatcher: Arc::clone(self),
            lane: lane.clone(),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.dispatcher.lanes().release(&self.lane) {
            self.dispatcher.wake();
        }
    }
}
