//! Postponing a delivery that no gateway takes now, and giving it up in the end.

use std::time::Duration;

use super::attempt::is_eligible;
use crate::clock::Moment;
use crate::delivery::{Disposition, Job, Lane, Settlement};
use crate::dispatcher::Dispatcher;
use crate::dispatcher::lane::wait::{Cause, Wait};
use crate::store::OutboxEntry;

/// Time that a delivery waits for a gateway of its channel to be configured again.
const NO_GATEWAY_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

impl Dispatcher {
    /// Postpones a delivery without using up an attempt, or gives it up if it has waited too long.
    /// Our own limits fail no delivery that was never attempted.
    pub(crate) fn postpone(&self, job: &Job, now: Moment, wait: &Wait) -> Settlement {
        let lane = &job.delivery.lane;
        let why = wait.cause.to_string();
        let is_over = match (&wait.cause, job.delivery.first_attempt_at) {
            (Cause::NoneConfigured, first) => {
                self.elapsed(first.unwrap_or(job.raised_at), now) >= NO_GATEWAY_PATIENCE
            }
            (_, Some(first)) => self.elapsed(first, now) >= self.patience(job),
            (_, None) => {
                let patience = self.patience(job);
                wait.is_closed_for(patience, now.monotonic)
                    && self.elapsed(job.raised_at, now) >= patience
            }
        };
        let next = if is_over {
            let detail = OutboxEntry::given_up(job.delivery.attempts, &why);
            Disposition::Fail { detail }
        } else {
            let until = wait.until.plus(self.spread(lane));
            let (due_at, detail) = (now.wall_at(until), why);
            Disposition::Queue { due_at, detail }
        };
        self.settle(job, None, next)
    }

    /// Returns the longest time that any gateway eligible for a delivery keeps trying it.
    fn patience(&self, job: &Job) -> Duration {
        let gateways = self.gateways();
        let ours = gateways
            .of(job.delivery.lane.channel())
            .filter(|gateway| is_eligible(job, gateway));
        let longest = ours.map(|gateway| gateway.schedule.give_up_after()).max();
        longest.unwrap_or(NO_GATEWAY_PATIENCE)
    }

    /// Returns a random extra wait for a delivery. If the gateways of a lane serve different addresses,
    /// more deliveries may be claimed than one of them takes. This spreads their return.
    fn spread(&self, lane: &Lane) -> Duration {
        const LONGEST: Duration = Duration::from_secs(60);
        let gateways = self.gateways();
        if gateways
            .of(lane.channel())
            .all(|gateway| gateway.prefixes.is_empty())
        {
            return Duration::ZERO;
        }
        let longest = Duration::from_millis(self.about_queued().saturating_mul(10));
        longest.min(LONGEST).mul_f64(fastrand::f64())
    }
}
