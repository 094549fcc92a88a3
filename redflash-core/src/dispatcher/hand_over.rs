//! One delivery on its way: checked once more, handed to a gateway, settled.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tracing::{info, warn};

use super::lane::{Choice, Verdict};
use super::record::Ended;
use super::{Dispatcher, Slot};
use crate::{
    Accepted, Attempt, AttemptOutcome, Gateway, Job, Next, OutboundMessage, Retry, SendError,
    Settlement, StoreError, Timestamp, stopped,
};

/// How long a delivery waits for a gateway of its channel to be configured again.
const ORPHANED: Duration = Duration::from_secs(24 * 60 * 60);

impl Dispatcher {
    pub(super) async fn hand_over(
        self: Arc<Self>,
        job: Job,
        slot: Slot,
        until: Timestamp,
        planned_at: Option<u64>,
    ) {
        let Some((pass, waited)) = pass(&slot.gate).await else {
            // Nothing was sent, and nothing more is to be.
            let (due_at, detail) = (self.clock.now(), String::new());
            return self.end(settle(&job, None, Next::Queue { due_at, detail }));
        };
        if self.clock.now() >= until {
            // It waited for too long, or the whole process stood still: it is somebody else's.
            return warn!(delivery = %job.delivery.id, "its lease ended before its turn came");
        }
        let stopped = match planned_at {
            // Planned a moment ago, by the switches as they were when it was recorded.
            Some(_) if !waited => Ok(None),
            _ => self.stopped(&job, planned_at).await,
        };
        let settlement = match stopped {
            Ok(None) => self.attempt(&job).await,
            Ok(Some(detail)) => settle(&job, None, Next::Cancel { detail }),
            Err(fault) => {
                let due_at = self.clock.now().plus(super::POLL);
                let detail = format!("the store did not answer: {}", crate::report(&fault));
                settle(&job, None, Next::Queue { due_at, detail })
            }
        };
        drop(pass);
        drop(slot);
        self.end(settlement);
    }

    fn end(&self, settlement: Settlement) {
        let token = self.tasks.token();
        self.recorder.push(Ended { settlement, token });
    }

    /// Why the delivery must not be handed over any more, by the switches as they are now.
    async fn stopped(
        &self,
        job: &Job,
        planned_at: Option<u64>,
    ) -> Result<Option<String>, StoreError> {
        let version = self.store.recent_version().await?;
        self.cache.forget(version);
        if planned_at == Some(version) {
            return Ok(None);
        }
        let Some(view) = self.cache.view(&*self.store, &job.target).await? else {
            return Ok(Some(format!("{} was removed", job.target)));
        };
        let delivery = &job.delivery;
        Ok(stopped(
            &view,
            &job.target,
            &delivery.contact,
            delivery.endpoint,
            &delivery.via,
        ))
    }

    async fn attempt(&self, job: &Job) -> Settlement {
        let lane = &job.delivery.lane;
        let started_at = self.clock.now();
        let gateway = match self.lanes().choose(lane, started_at) {
            Choice::Gateway(gateway) => gateway,
            Choice::Wait(until) => return self.wait(job, started_at, until),
        };
        let result = send(&gateway, outbound(job, started_at)).await;
        let ended_at = self.clock.now();
        let verdict = verdict(&result, &gateway, ended_at);
        self.lanes().end(&gateway.name, lane, verdict, ended_at);
        let attempt = Attempt {
            number: job.delivery.attempts + 1,
            gateway: Some(gateway.name.clone()),
            started_at,
            ended_at,
            outcome: outcome(&result),
            detail: match &result {
                Ok(accepted) => accepted.detail.clone(),
                Err(error) => error.detail(),
            },
            may_repeat: job.delivery.may_repeat,
        };
        note(job, &gateway, &attempt);
        let next = match result {
            Ok(accepted) => Next::Done(accepted),
            Err(error) => self.after(job, &gateway, &error, &attempt),
        };
        settle(job, Some(attempt), next)
    }

    /// No gateway takes messages now: the delivery waits without using up an attempt, but not for ever.
    fn wait(&self, job: &Job, now: Timestamp, until: Timestamp) -> Settlement {
        let lane = &job.delivery.lane;
        let gateway = self.gateways.of(lane.channel()).next();
        let patience = gateway.map_or(ORPHANED, |gateway| gateway.schedule.give_up_after());
        let why = gateway.map_or_else(
            || format!("no gateway is configured for {}", lane.channel()),
            |_| format!("no gateway for {lane} takes messages now"),
        );
        let next = if now.since(job.raised_at) >= patience {
            let detail = format!("given up: {why}");
            Next::Fail { detail }
        } else {
            let (due_at, detail) = (until, why);
            Next::Queue { due_at, detail }
        };
        settle(job, None, next)
    }

    /// What becomes of a delivery whose attempt failed.
    fn after(&self, job: &Job, gateway: &Gateway, error: &SendError, attempt: &Attempt) -> Next {
        let now = attempt.ended_at;
        let detail = attempt.detail.clone();
        let retry_after = match error.retry() {
            Retry::Never | Retry::Elsewhere => return Next::Fail { detail },
            Retry::StopGateway
                if self
                    .lanes()
                    .has_other(&gateway.name, &job.delivery.lane, now) =>
            {
                let due_at = now;
                return Next::Queue { due_at, detail };
            }
            Retry::After(retry_after) => retry_after,
            Retry::MayRepeat | Retry::StopGateway => None,
        };
        let first = job.delivery.first_attempt_at.unwrap_or(attempt.started_at);
        match gateway
            .schedule
            .draw(attempt.number, now.since(first), retry_after)
        {
            Some(wait) => Next::Queue {
                due_at: now.plus(wait),
                detail,
            },
            None => Next::Fail {
                detail: format!("given up after {} attempts: {detail}", attempt.number),
            },
        }
    }
}

/// Goes through a lane's gate; `None` when it is closed. Says whether that took any waiting.
async fn pass(gate: &Semaphore) -> Option<(SemaphorePermit<'_>, bool)> {
    if let Ok(pass) = gate.try_acquire() {
        return Some((pass, false));
    }
    Some((gate.acquire().await.ok()?, true))
}

/// Calls the gateway once, within the deadline, whatever the channel does.
async fn send(gateway: &Gateway, message: OutboundMessage) -> Result<Accepted, SendError> {
    let deadline = gateway.limits.deadline;
    let sending = CatchPanic(AssertUnwindSafe(gateway.channel.send(&message)));
    match timeout(deadline, sending).await {
        Ok(result) => result,
        Err(_) => Err(SendError::Unknown(
            format!("no answer within {} s", deadline.as_secs_f32()).into(),
        )),
    }
}

/// A future whose panic is an unknown outcome.
struct CatchPanic<F>(AssertUnwindSafe<F>);

impl<F> Future for CatchPanic<F>
where
    F: Future<Output = Result<Accepted, SendError>> + Unpin,
{
    type Output = Result<Accepted, SendError>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        let inner = &mut self.0.0;
        let polled =
            std::panic::catch_unwind(AssertUnwindSafe(|| std::pin::Pin::new(inner).poll(context)));
        polled.unwrap_or_else(|_| {
            let error = SendError::Unknown("the channel panicked".into());
            std::task::Poll::Ready(Err(error))
        })
    }
}

fn outbound(job: &Job, at: Timestamp) -> OutboundMessage {
    OutboundMessage {
        notification: job.delivery.notification,
        delivery: job.delivery.id,
        attempt: job.delivery.attempts + 1,
        at,
        to: job.delivery.address.clone(),
        subject: job.message.subject.clone(),
        body: job.message.body.clone(),
        sender: job.message.sender.clone(),
    }
}

const fn outcome(result: &Result<Accepted, SendError>) -> AttemptOutcome {
    match result {
        Ok(_) => AttemptOutcome::Ok,
        Err(error) => match error.retry() {
            Retry::Never | Retry::Elsewhere => AttemptOutcome::Permanent,
            Retry::MayRepeat => AttemptOutcome::Unknown,
            Retry::After(_) | Retry::StopGateway => AttemptOutcome::Retry,
        },
    }
}

fn verdict(result: &Result<Accepted, SendError>, gateway: &Gateway, now: Timestamp) -> Verdict {
    match result {
        Ok(_)
        | Err(
            SendError::Rejected { .. }
            | SendError::InvalidAddress { .. }
            | SendError::Unroutable { .. },
        ) => Verdict::Works,
        Err(SendError::Unauthorized { .. }) => Verdict::Refuses,
        Err(SendError::RateLimited {
            retry_after: Some(after),
            ..
        }) => Verdict::Pauses(now.plus((*after).min(gateway.schedule.longest_wait()))),
        Err(SendError::RateLimited { .. }) => Verdict::Nothing,
        Err(SendError::Unreachable(_) | SendError::Unknown(_)) => Verdict::Fails,
    }
}

fn settle(job: &Job, attempt: Option<Attempt>, next: Next) -> Settlement {
    Settlement {
        delivery: job.delivery.clone(),
        attempt,
        next,
    }
}

fn note(job: &Job, gateway: &Gateway, attempt: &Attempt) {
    let outcome = attempt.outcome.as_str();
    let took = attempt.ended_at.since(attempt.started_at);
    let name = gateway.name.to_string();
    metrics::counter!("redflash_attempts_total", "gateway" => name.clone(), "outcome" => outcome)
        .increment(1);
    metrics::histogram!("redflash_attempt_seconds", "gateway" => name).record(took);
    info!(
        notification = %job.delivery.notification,
        delivery = %job.delivery.id,
        gateway = %gateway.name,
        attempt = attempt.number,
        outcome,
        took_ms = took.as_millis(),
        "attempt"
    );
}
