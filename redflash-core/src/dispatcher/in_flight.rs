//! A delivery that this process holds, from its lease until its outcome is on its way to the store.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::delivery::{Attempt, AttemptOutcome, Disposition, Job, Settlement};
use crate::dispatcher::lease::{LeaseView, SendStart};
use crate::dispatcher::outcome::record::FinishedDelivery;
use crate::dispatcher::slot::Slot;
use crate::dispatcher::{Dispatcher, LeaseGuard};

/// A leased delivery. If it is dropped, an outcome is recorded all the same: a delivery that was
/// not begun goes back to the queue as it was, and one that was begun has an unknown outcome in the
/// log.
#[derive(Debug)]
pub(crate) struct InFlight {
    job: Job,
    slot: Slot,
    guard: Option<LeaseGuard>,
}

impl InFlight {
    pub(crate) const fn new(job: Job, slot: Slot, guard: LeaseGuard) -> Self {
        Self {
            job,
            slot,
            guard: Some(guard),
        }
    }

    pub(crate) const fn job(&self) -> &Job {
        &self.job
    }

    pub(crate) const fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Returns a view of its lease.
    pub(crate) fn lease(&self) -> Option<LeaseView> {
        self.guard.as_ref().map(LeaseGuard::view)
    }

    /// Ends it with this outcome.
    pub(crate) fn end(mut self, settlement: Settlement) {
        if let Some(guard) = self.guard.take() {
            self.slot.dispatcher.push(settlement, guard);
        }
    }

    /// Ends it without an outcome, since another process owns it.
    pub(crate) fn disown(mut self) {
        self.guard = None;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let Some(guard) = self.guard.take() else {
            return;
        };
        let dispatcher = Arc::clone(&self.slot.dispatcher);
        let settlement = dispatcher.interrupted(&self.job, guard.send_start());
        dispatcher.push(settlement, guard);
    }
}

impl Dispatcher {
    /// Returns the settlement of a delivery whose hand-over was dropped half-way.
    ///
    /// * `send_start` - the beginning of its request, if there was one.
    fn interrupted(&self, job: &Job, send_start: Option<&SendStart>) -> Settlement {
        let now = self.now();
        let Some(send_start) = send_start else {
            let (due_at, detail) = (due_again_at(now), job.delivery.detail.clone());
            return self.settle(job, None, Disposition::Queue { due_at, detail });
        };
        let detail = Attempt::CUT_OFF.to_owned();
        let attempt = Attempt {
            number: job.delivery.attempts + 1,
            gateway: Some(send_start.gateway.clone()),
            started_at: send_start.at,
            ended_at: now,
            outcome: AttemptOutcome::Unknown,
            detail: detail.clone(),
            may_repeat: job.delivery.may_repeat,
        };
        let due_at = due_again_at(now);
        self.settle(job, Some(attempt), Disposition::Queue { due_at, detail })
    }

    fn push(&self, settlement: Settlement, guard: LeaseGuard) {
        let token = self.life().map(|life| life.tasks().token());
        self.recorder.push(FinishedDelivery {
            settlement,
            _guard: guard,
            _token: token,
        });
    }
}

/// Returns the time at which a delivery is due again. After a panic that is later, so that it does
/// not panic in a tight loop.
fn due_again_at(now: Timestamp) -> Timestamp {
    const RETRY_DELAY: Duration = Duration::from_secs(1);
    if std::thread::panicking() {
        now.plus(RETRY_DELAY)
    } else {
        now
    }
}
