//! Steps of the clock, followed in memory.

use super::State;
use crate::clock::Timestamp;
use crate::delivery::DeliveryState;
use crate::model::WorkerId;
use crate::store::ClockStep;

impl State {
    pub(super) fn follow_clock(&mut self, step: &ClockStep, worker: WorkerId) -> u64 {
        let move_it = |at: &mut Timestamp| {
            *at = Timestamp::from_millis(at.as_millis().saturating_add(step.by()));
        };
        let mut moved = 0;
        for row in self.deliveries.values_mut() {
            let waits = row.is(DeliveryState::Queued);
            let delivery = &mut row.entry.delivery;
            if waits && delivery.due_at > step.earlier() {
                move_it(&mut delivery.due_at);
                moved += 1;
            }
            if let Some(due_at) = &mut delivery.receipt_due_at
                && *due_at > step.earlier()
            {
                move_it(due_at);
                moved += 1;
            }
            if let Some(grant) = &mut row.entry.lease
                && grant.worker == worker
            {
                move_it(&mut grant.until);
                moved += 1;
            }
        }
        moved
    }

    pub(super) fn bring_forward(&mut self, now: Timestamp, latest: Timestamp) -> u64 {
        let mut moved = 0;
        for row in self.deliveries.values_mut() {
            let waits = row.is(DeliveryState::Queued);
            let delivery = &mut row.entry.delivery;
            if waits && delivery.due_at > latest {
                delivery.due_at = now;
                delivery.first_attempt_at = delivery.first_attempt_at.map(|at| at.min(now));
                moved += 1;
            }
            if let Some(due_at) = &mut delivery.receipt_due_at
                && *due_at > latest
            {
                *due_at = now;
                moved += 1;
            }
        }
        moved
    }
}
