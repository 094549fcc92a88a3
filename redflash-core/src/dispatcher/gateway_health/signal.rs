//! The effect of a hand-over's result on the health and the alarms of its gateway.

use std::time::Duration;

use crate::clock::{Moment, Monotonic};
use crate::delivery::Job;
use crate::dispatcher::Dispatcher;
use crate::dispatcher::alarm::AlarmEvent;
use crate::dispatcher::gateway_health::upstream::HealthSignal;
use crate::gateway::Gateway;
use crate::message::{Accepted, Deferral, SendError};
use crate::model::Address;

impl Dispatcher {
    /// Reports the result of a hand-over to the breaker and to the alarms.
    ///
    /// * `is_first` - true for the first message of its request.
    pub(crate) fn report_health(
        &self,
        job: &Job,
        gateway: &Gateway,
        result: &Result<Accepted, SendError>,
        is_first: bool,
        now: Moment,
    ) {
        let Moment { monotonic, .. } = now;
        let (lane, to) = (&job.delivery.lane, &job.delivery.address);
        let signal = match signal_of(result, to, gateway, monotonic) {
            // A failed request counts as one failure.
            HealthSignal::Failed | HealthSignal::FailedFor(_) if !is_first => HealthSignal::Neutral,
            signal => signal,
        };
        let error = result.as_ref().err().map(SendError::detail);
        let pause = address_pause(result, gateway);
        let next_try = {
            let mut lanes = self.lanes();
            if let Some(pause) = pause {
                lanes.pause_address(&gateway.name, to, monotonic.plus(pause), monotonic);
            }
            lanes.end(&gateway.name, lane, signal, error.as_deref(), monotonic)
        };
        // One dead host among many does not mean that the gateway is down.
        if lane.host().is_some() {
            return;
        }
        if let Err(SendError::Refused { reason }) = result {
            self.alarms.refused(&gateway.name, reason, monotonic);
        }
        match (error, next_try) {
            (Some(reason), Some(next_try)) => self.alarms.push(AlarmEvent::Stopped {
                gateway: gateway.name.clone(),
                reason,
                next_try_at: now.wall_at(next_try),
            }),
            (None, _) => self.alarms.succeeded(&gateway.name, monotonic),
            (Some(_), None) => {}
        }
    }
}

fn signal_of(
    result: &Result<Accepted, SendError>,
    to: &Address,
    gateway: &Gateway,
    now: Monotonic,
) -> HealthSignal {
    match result {
        Ok(_)
        | Err(
            SendError::Rejected { .. }
            | SendError::InvalidAddress { .. }
            | SendError::Unroutable { .. },
        ) => HealthSignal::Healthy,
        Err(SendError::Deferred {
            scope: Deferral::Recipient,
            ..
        }) => HealthSignal::Answered,
        Err(
            SendError::Refused { .. }
            | SendError::Deferred {
                scope: Deferral::Message,
                ..
            },
        ) => HealthSignal::FailedFor(to.clone()),
        Err(SendError::Unauthorized { .. }) => HealthSignal::Unauthorized,
        Err(SendError::RateLimited {
            retry_after: Some(after),
            ..
        }) => HealthSignal::PauseUntil(now.plus((*after).min(gateway.schedule.longest_wait()))),
        Err(SendError::RateLimited { .. }) => HealthSignal::Neutral,
        Err(SendError::Unreachable(_) | SendError::Unknown(_)) => HealthSignal::Failed,
    }
}

/// Returns the pause that the gateway asks for on the address of a message, at most the longest
/// wait of its schedule.
fn address_pause(result: &Result<Accepted, SendError>, gateway: &Gateway) -> Option<Duration> {
    match result {
        Err(SendError::Deferred {
            scope: Deferral::Recipient,
            retry_after,
            ..
        }) => retry_after.map(|after| after.min(gateway.schedule.longest_wait())),
        _ => None,
    }
}
