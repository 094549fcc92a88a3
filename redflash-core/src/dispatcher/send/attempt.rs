//! One attempt: the choice of a gateway, its budget, and the effect of the outcome.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tracing::info;

use crate::clock::{Moment, Timestamp};
use crate::delivery::{Attempt, AttemptOutcome, Disposition, Job, Settlement};
use crate::dispatcher::Dispatcher;
use crate::dispatcher::alarm::AlarmEvent;
use crate::dispatcher::gateway_health::upstream::HealthSignal;
use crate::dispatcher::lane::choice::Choice;
use crate::dispatcher::lease::LeaseView;
use crate::dispatcher::send::budget::{BudgetError, Reservation};
use crate::dispatcher::send::request::{SendReport, SendRequest};
use crate::gateway::{Gateway, OnUnknown};
use crate::message::{Accepted, Origin, OutboundMessage, Retry, SendError};
use crate::model::Slug;
use crate::store::OutboxEntry;

/// A gateway that was chosen for a message.
struct ChosenGateway {
    gateway: Arc<Gateway>,
    requests: Arc<Semaphore>,
    reservation: Reservation,
    lease: LeaseView,
}

impl Dispatcher {
    /// Hands a delivery to a gateway, if one takes it now.
    ///
    /// * `lease` - the delivery's lease.
    pub(crate) async fn attempt(self: &Arc<Self>, job: &Job, lease: &LeaseView) -> Settlement {
        if job.delivery.is_unrecorded()
            && let Some(gateway) = self.holding_gateway(job)
        {
            return self.settle(job, None, self.hold(&gateway, Attempt::UNRECORDED));
        }
        let lane = &job.delivery.lane;
        let mut skipped: Vec<(Slug, String)> = Vec::new();
        let only = self.idempotent_gateway(job);
        loop {
            let now = self.moment();
            let is_candidate = |gateway: &Gateway| {
                is_eligible(job, gateway)
                    && only.is_none_or(|only| *only == gateway.name)
                    && skipped.iter().all(|(name, _)| *name != gateway.name)
            };
            let (gateway, requests) =
                match self
                    .lanes()
                    .choose(lane, &job.delivery.address, now.monotonic, is_candidate)
                {
                    Choice::Gateway(gateway, requests) => (gateway, requests),
                    Choice::Wait(wait) => return self.postpone(job, now, &wait),
                    Choice::NoneLeft => return self.no_gateway_left(job, &skipped),
                };
            let error = match self.reserve_budget(&gateway, job, now.wall).await {
                Ok(reservation) => {
                    let chosen = ChosenGateway {
                        gateway,
                        requests,
                        reservation,
                        lease: lease.clone(),
                    };
                    return self.send_through(job, chosen, now.wall).await;
                }
                Err(error) => error,
            };
            self.lanes().end(
                &gateway.name,
                lane,
                HealthSignal::Neutral,
                None,
                now.monotonic,
            );
            match error {
                BudgetError::Gateway(why) => skipped.push((gateway.name.clone(), why)),
                BudgetError::Address(why) => {
                    return self.settle(job, None, suppress(&gateway.name, why));
                }
                BudgetError::Unknown(source) => {
                    let due_at = now.wall.plus(crate::dispatcher::POLL_INTERVAL);
                    let detail =
                        format!("the store did not answer: {}", crate::error_chain(&source));
                    return self.settle(job, None, Disposition::Queue { due_at, detail });
                }
            }
        }
    }

    async fn send_through(
        self: &Arc<Self>,
        job: &Job,
        chosen: ChosenGateway,
        started_at: Timestamp,
    ) -> Settlement {
        let ChosenGateway {
            gateway,
            requests,
            reservation,
            lease,
        } = chosen;
        let (message, note) = outbound(job, &gateway, started_at);
        let request = SendRequest {
            gateway: Arc::clone(&gateway),
            requests,
            message,
            lease,
        };
        let gateway = &*gateway;
        let SendReport {
            mut result,
            is_first,
        } = self.send(request).await;
        let ended = self.moment();
        let ended_at = ended.wall;
        self.report_health(job, gateway, &result, is_first, ended);
        let went_out = matches!(result, Ok(_) | Err(SendError::Unknown(_)));
        if went_out {
            self.check_budget_alarm(gateway, &reservation, started_at);
        } else {
            self.refund_budget(&reservation, started_at).await;
        }
        if let (Ok(accepted), Some(note)) = (&mut result, note) {
            accepted.detail = format!("{}; {note}", accepted.detail);
        }
        let detail = match &result {
            Ok(accepted) => accepted.detail.clone(),
            Err(error) => error.detail(),
        };
        let attempt = Attempt {
            number: job.delivery.attempts + 1,
            gateway: Some(gateway.name.clone()),
            started_at,
            ended_at,
            outcome: outcome(&result),
            detail,
            may_repeat: job.delivery.may_repeat,
        };
        log(job, gateway, &attempt);
        let next = match result {
            Ok(accepted) => self.after_success(job, gateway, accepted, &attempt),
            Err(error) => self.after_failure(job, gateway, &error, &attempt, ended),
        };
        self.settle(job, Some(attempt), next)
    }

    /// Returns the disposition of a delivery that a gateway accepted.
    fn after_success(
        &self,
        job: &Job,
        gateway: &Gateway,
        accepted: Accepted,
        attempt: &Attempt,
    ) -> Disposition {
        let timeout = gateway.receipt_timeout.filter(|_| !accepted.delivered);
        let timeout = timeout.filter(|_| self.has_other(job, gateway));
        let receipt_due_at = timeout.map(|timeout| attempt.ended_at.plus(timeout));
        Disposition::Done {
            accepted,
            receipt_due_at,
        }
    }

    /// Returns the disposition of a delivery whose attempt failed.
    fn after_failure(
        &self,
        job: &Job,
        gateway: &Gateway,
        error: &SendError,
        attempt: &Attempt,
        ended: Moment,
    ) -> Disposition {
        let now = ended.wall;
        let detail = attempt.detail.clone();
        let retry_after = match error.retry() {
            Retry::Elsewhere | Retry::ElsewhereOrLater if self.has_other(job, gateway) => {
                return Disposition::Elsewhere { detail };
            }
            Retry::Never | Retry::Elsewhere => return Disposition::Fail { detail },
            Retry::MayRepeat if must_hold(gateway) => return self.hold(gateway, &detail),
            Retry::StopGateway => {
                let other = |other: &Gateway| is_other(job, gateway, other);
                if self
                    .lanes()
                    .has_open_gateway(&job.delivery.lane, ended.monotonic, other)
                {
                    let due_at = now;
                    return Disposition::Queue { due_at, detail };
                }
                None
            }
            Retry::After(retry_after) => retry_after,
            Retry::MayRepeat | Retry::ElsewhereOrLater => None,
        };
        let first = job.delivery.first_attempt_at.unwrap_or(attempt.started_at);
        match gateway
            .schedule
            .draw(attempt.number, self.elapsed(first, ended), retry_after)
        {
            Some(wait) => Disposition::Queue {
                due_at: now.plus(wait),
                detail,
            },
            None => Disposition::Fail {
                detail: OutboxEntry::given_up(attempt.number, &detail),
            },
        }
    }

    /// Returns the only gateway that may get a delivery again: one that must not repeat messages,
    /// but recognizes a repeat.
    fn idempotent_gateway<'a>(&self, job: &'a Job) -> Option<&'a Slug> {
        let name = job.delivery.gateway.as_ref();
        let name = name.filter(|_| job.delivery.may_repeat)?;
        let gateways = self.gateways();
        let gateway = gateways.get(name)?;
        let can = gateway.channel.capabilities();
        (gateway.on_unknown == OnUnknown::Hold && can.idempotent).then_some(name)
    }

    /// Returns one of the gateways that may have sent the message and must not repeat it.
    fn holding_gateway(&self, job: &Job) -> Option<Arc<Gateway>> {
        let delivery = &job.delivery;
        let gateways = self.gateways();
        let mut serving = gateways.serving(&delivery.channel, &delivery.address);
        serving.find(|gateway| must_hold(gateway)).cloned()
    }

    /// Sets a delivery aside, and raises an alarm.
    fn hold(&self, gateway: &Gateway, why: &str) -> Disposition {
        let gateway = gateway.name.clone();
        let detail = format!("set aside, since {gateway} must not repeat messages: {why}");
        self.alarms.push(AlarmEvent::Held { gateway });
        Disposition::Hold { detail }
    }

    /// Returns true if another gateway is eligible, now or later.
    fn has_other(&self, job: &Job, gateway: &Gateway) -> bool {
        let gateways = self.gateways();
        let mut others = gateways.of(job.delivery.lane.channel());
        others.any(|other| is_other(job, gateway, other))
    }

    /// Returns the settlement of a delivery without an eligible gateway.
    fn no_gateway_left(&self, job: &Job, skipped: &[(Slug, String)]) -> Settlement {
        let why: Vec<_> = skipped.iter().map(|(_, why)| &**why).collect();
        let next = match skipped.last() {
            Some((gateway, _)) => suppress(gateway, why.join("; ")),
            None => Disposition::Fail {
                detail: format!(
                    "no gateway is left for this address: {}",
                    job.delivery.detail
                ),
            },
        };
        self.settle(job, None, next)
    }

    /// Returns the settlement that ends the lease of a delivery now.
    pub(crate) fn settle(
        &self,
        job: &Job,
        attempt: Option<Attempt>,
        next: Disposition,
    ) -> Settlement {
        Settlement {
            delivery: job.delivery.clone(),
            token: job.token,
            attempt,
            next,
            at: self.now(),
        }
    }
}

pub(crate) fn is_eligible(job: &Job, gateway: &Gateway) -> bool {
    gateway.serves(&job.delivery.address) && !job.delivery.refused_by.contains(&gateway.name)
}

fn is_other(job: &Job, gateway: &Gateway, other: &Gateway) -> bool {
    other.name != gateway.name && is_eligible(job, other)
}

/// Returns true if a message that may have gone out through a gateway is held for a manual resend.
fn must_hold(gateway: &Gateway) -> bool {
    gateway.on_unknown == OnUnknown::Hold && !gateway.channel.capabilities().idempotent
}

fn suppress(gateway: &Slug, detail: String) -> Disposition {
    metrics::counter!("redflash_suppressed_total", "gateway" => gateway.to_string()).increment(1);
    Disposition::Suppress { detail }
}

/// Returns the message as a gateway gets it, with a note if it is not sent as asked.
fn outbound(job: &Job, gateway: &Gateway, at: Timestamp) -> (OutboundMessage, Option<String>) {
    let wanted = job.message.sender.as_ref();
    let (sender, note) = match wanted.map(|sender| (sender, gateway.check_sender(sender))) {
        Some((sender, Ok(()))) => (Some(sender.clone()), None),
        Some((sender, Err(error))) => (None, Some(format!("not sent as {sender}: {error}"))),
        None => (None, None),
    };
    // Without support for senders, there is nothing to note.
    let note = note.filter(|_| gateway.channel.capabilities().sender);
    let message = OutboundMessage {
        notification: job.delivery.notification,
        delivery: job.delivery.id,
        attempt: job.delivery.attempts + 1,
        first_attempt_at: job.delivery.first_attempt_at.unwrap_or(at),
        at,
        to: job.delivery.address.clone(),
        subject: job.message.subject.clone(),
        body: job.message.body.clone(),
        sender,
        link: None,
        origin: Some(Origin {
            target: job.target.clone(),
            raised_at: job.raised_at,
            arguments: job.arguments.clone(),
        }),
    };
    (message, note)
}

const fn outcome(result: &Result<Accepted, SendError>) -> AttemptOutcome {
    match result {
        Ok(_) => AttemptOutcome::Ok,
        Err(error) => match error.retry() {
            Retry::Never | Retry::Elsewhere => AttemptOutcome::Permanent,
            Retry::MayRepeat => AttemptOutcome::Unknown,
            Retry::After(_) | Retry::StopGateway | Retry::ElsewhereOrLater => AttemptOutcome::Retry,
        },
    }
}

fn log(job: &Job, gateway: &Gateway, attempt: &Attempt) {
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
