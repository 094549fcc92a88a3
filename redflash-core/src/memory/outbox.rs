//! The queue and the log in memory.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, Remembered, Row, State};
use crate::store::{
    Backlog, DeliveryRecord, DueQueue, Enqueued, LogFilter, MAX_CLAIMS, Queue, ReceiptEffect, Want,
};
use crate::{
    Attempt, AttemptOutcome, Delivery, DeliveryState, Idempotency, Job, Lease, Next, Notification,
    NotificationId, Outbox, Receipt, Settled, Settlement, Slug, StoreError, Timestamp, WorkerId,
};

#[async_trait]
impl Outbox for MemoryStore {
    async fn enqueue(
        &self,
        notification: &Notification,
        deliveries: &[Delivery],
        lease: Option<&Lease>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Enqueued, StoreError> {
        Ok(self
            .state()
            .enqueue(notification, deliveries, lease, idempotency))
    }

    async fn due_queues(&self) -> Result<Vec<DueQueue>, StoreError> {
        let state = self.state();
        let mut first: BTreeMap<Queue, Timestamp> = BTreeMap::new();
        for row in state
            .deliveries
            .values()
            .filter(|row| row.is(DeliveryState::Queued))
        {
            let due_at = first.entry(row.queue()).or_insert(row.delivery.due_at);
            *due_at = row.delivery.due_at.min(*due_at);
        }
        Ok(first
            .into_iter()
            .map(|(queue, due_at)| DueQueue { queue, due_at })
            .collect())
    }

    async fn claim_due(&self, lease: &Lease, wants: &[Want]) -> Result<Vec<Job>, StoreError> {
        let mut state = self.state();
        Ok(wants
            .iter()
            .flat_map(|want| state.claim(lease, want))
            .collect())
    }

    async fn settle(
        &self,
        worker: WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<Settled>, StoreError> {
        let mut state = self.state();
        Ok(settlements
            .iter()
            .map(|settlement| state.settle(worker, settlement))
            .collect())
    }

    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
    ) -> Result<u64, StoreError> {
        let mut state = self.state();
        let orphaned = |row: &&mut Row| {
            row.lease.is_some_and(|(worker, until)| {
                until <= now || except.is_some_and(|except| except != worker)
            })
        };
        let orphans = state
            .deliveries
            .values_mut()
            .filter(orphaned)
            .map(|row| row.take_back(now));
        Ok(orphans.map(|()| 1).sum())
    }

    async fn record_receipt(
        &self,
        gateway: &Slug,
        receipt: &Receipt,
        now: Timestamp,
    ) -> Result<ReceiptEffect, StoreError> {
        Ok(self.receive(gateway, receipt, now))
    }

    async fn resend(&self, id: NotificationId, now: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let mut resent = 0;
        for row in state
            .deliveries
            .values_mut()
            .filter(|row| row.delivery.notification == id)
        {
            let ended = [
                DeliveryState::Failed,
                DeliveryState::Cancelled,
                DeliveryState::Quarantined,
            ];
            if ended.contains(&row.delivery.state) {
                row.delivery.state = DeliveryState::Queued;
                row.delivery.due_at = now;
                row.delivery.first_attempt_at = None;
                row.claims = 0;
                resent += 1;
            }
        }
        Ok(resent)
    }

    async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, StoreError> {
        let state = self.state();
        let Some((notification, deliveries)) = state.notifications.get(&id) else {
            return Ok(None);
        };
        let records = deliveries
            .iter()
            .map(|id| &state.deliveries[id])
            .map(|row| DeliveryRecord {
                delivery: row.delivery.clone(),
                attempts_made: row.attempts.clone(),
            });
        Ok(Some((notification.clone(), records.collect())))
    }

    async fn log(
        &self,
        filter: &LogFilter,
    ) -> Result<Vec<(Notification, Vec<Delivery>)>, StoreError> {
        let state = self.state();
        let newest_first = state.notifications.values().rev();
        let all = newest_first.map(|(notification, ids)| {
            let rows = ids.iter().map(|id| state.deliveries[id].delivery.clone());
            (notification.clone(), rows.collect::<Vec<_>>())
        });
        let wanted = all.filter(|(notification, deliveries)| filter.lets(notification, deliveries));
        Ok(wanted.take(filter.limit.get() as usize).collect())
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let state = self.state();
        let of = |wanted| state.deliveries.values().filter(move |row| row.is(wanted));
        Ok(Backlog {
            queued: of(DeliveryState::Queued).count() as u64,
            sending: of(DeliveryState::Sending).count() as u64,
            oldest_due: of(DeliveryState::Queued)
                .map(|row| row.delivery.due_at)
                .min(),
        })
    }

    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError> {
        let mut state = self.state();
        let ended = |ids: &[_]| {
            ids.iter()
                .all(|id| state.deliveries[id].delivery.state.is_final())
        };
        let old = state
            .notifications
            .values()
            .filter(|(n, ids)| n.raised_at < before && ended(ids));
        let old: Vec<_> = old.take(limit.get() as usize).map(|(n, _)| n.id).collect();
        for id in &old {
            let (_, ids) = state
                .notifications
                .remove(id)
                .unwrap_or_else(|| unreachable!("just seen"));
            for id in ids {
                state.deliveries.remove(&id);
            }
        }
        state
            .idempotency
            .retain(|_, remembered| !old.contains(&remembered.notification));
        Ok(old.len() as u64)
    }

    async fn probe(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

impl LogFilter {
    fn lets(&self, notification: &Notification, deliveries: &[Delivery]) -> bool {
        let any = |wanted: &dyn Fn(&Delivery) -> bool| deliveries.iter().any(wanted);
        self.before.is_none_or(|before| notification.id < before)
            && self
                .since
                .is_none_or(|since| notification.raised_at >= since)
            && self.state.is_none_or(|state| any(&|d| d.state == state))
            && self
                .contact
                .as_ref()
                .is_none_or(|contact| any(&|d| d.contact == *contact))
    }
}

impl State {
    fn enqueue(
        &mut self,
        notification: &Notification,
        deliveries: &[Delivery],
        lease: Option<&Lease>,
        idempotency: Option<&Idempotency>,
    ) -> Enqueued {
        if let Some(idempotency) = idempotency {
            let now = notification.raised_at;
            self.idempotency
                .retain(|_, kept| now.since(kept.at) < Idempotency::KEPT);
            let scope = (notification.raised_by.clone(), idempotency.key.clone());
            if let Some(kept) = self.idempotency.get(&scope) {
                return if kept.digest == idempotency.digest {
                    Enqueued::Repeat(Box::new(self.notifications[&kept.notification].0.clone()))
                } else {
                    Enqueued::Mismatch
                };
            }
            let remembered = Remembered {
                digest: idempotency.digest.clone(),
                notification: notification.id,
                at: now,
            };
            self.idempotency.insert(scope, remembered);
        }
        let ids = deliveries.iter().map(|delivery| delivery.id).collect();
        self.notifications
            .insert(notification.id, (notification.clone(), ids));
        for delivery in deliveries {
            let mut row = Row {
                delivery: delivery.clone(),
                raised_by: notification.raised_by.clone(),
                lease: None,
                claims: 0,
                attempts: Vec::new(),
            };
            match lease {
                Some(lease) => row.lease_to(lease),
                None => row.delivery.state = DeliveryState::Queued,
            }
            self.deliveries.insert(delivery.id, row);
        }
        Enqueued::New
    }

    fn claim(&mut self, lease: &Lease, want: &Want) -> Vec<Job> {
        let due = |row: &&mut Row| {
            row.is(DeliveryState::Queued)
                && row.delivery.due_at <= lease.now
                && row.queue() == want.queue
        };
        let mut rows: Vec<_> = self.deliveries.values_mut().filter(due).collect();
        rows.sort_by_key(|row| (row.delivery.due_at, row.delivery.id));
        let claimed = rows.into_iter().take(want.limit.get() as usize).map(|row| {
            row.lease_to(lease);
            let notification = &self.notifications[&row.delivery.notification].0;
            Job {
                delivery: row.delivery.clone(),
                message: Arc::new(notification.plan.message.clone()),
                target: notification.target().clone(),
                raised_at: notification.raised_at,
                raised_by: notification.raised_by.clone(),
            }
        });
        claimed.collect()
    }

    fn settle(&mut self, worker: WorkerId, settlement: &Settlement) -> Settled {
        let Some(row) = self.deliveries.get_mut(&settlement.delivery) else {
            return Settled::Lost;
        };
        let held = row.lease.is_some_and(|(holder, _)| holder == worker);
        if let Some(attempt) = &settlement.attempt {
            row.log(attempt);
        }
        let late =
            !held && row.is(DeliveryState::Queued) && matches!(settlement.next, Next::Done(_));
        if held || late {
            let ended_at = settlement.attempt.as_ref().map(|attempt| attempt.ended_at);
            row.end(&settlement.next, ended_at);
            let now = row.delivery.due_at;
            self.apply_early(settlement.delivery, now);
        }
        if held {
            Settled::Recorded
        } else {
            Settled::Lost
        }
    }
}

impl Row {
    fn is(&self, state: DeliveryState) -> bool {
        self.delivery.state == state
    }

    fn queue(&self) -> Queue {
        Queue {
            lane: self.delivery.lane.clone(),
            raised_by: self.raised_by.clone(),
        }
    }

    fn lease_to(&mut self, lease: &Lease) {
        self.delivery.state = DeliveryState::Sending;
        self.lease = Some((lease.worker, lease.until));
        self.claims += 1;
    }

    fn log(&mut self, attempt: &Attempt) {
        let delivery = &mut self.delivery;
        delivery.attempts += 1;
        delivery.first_attempt_at.get_or_insert(attempt.started_at);
        if attempt.gateway.is_some() {
            delivery.gateway.clone_from(&attempt.gateway);
        }
        delivery.may_repeat |= attempt.outcome == AttemptOutcome::Unknown;
        self.attempts.push(Attempt {
            number: delivery.attempts,
            ..attempt.clone()
        });
    }

    fn end(&mut self, next: &Next, ended_at: Option<Timestamp>) {
        self.lease = None;
        self.claims = 0;
        let delivery = &mut self.delivery;
        if let Some(ended_at) = ended_at {
            delivery.due_at = ended_at;
        }
        let (state, detail) = match next {
            Next::Done(accepted) => {
                delivery.message_id.clone_from(&accepted.message_id);
                delivery.parts = Some(accepted.parts);
                delivery.price.clone_from(&accepted.price);
                let arrived = accepted.delivered;
                let state = if arrived {
                    DeliveryState::Delivered
                } else {
                    DeliveryState::Sent
                };
                (state, &accepted.detail)
            }
            Next::Queue { due_at, detail } => {
                delivery.due_at = *due_at;
                (DeliveryState::Queued, detail)
            }
            Next::Fail { detail } => (DeliveryState::Failed, detail),
            Next::Cancel { detail } => (DeliveryState::Cancelled, detail),
        };
        delivery.state = state;
        delivery.detail.clone_from(detail);
    }

    /// Takes back a delivery whose holder recorded no outcome.
    fn take_back(&mut self, now: Timestamp) {
        let claims = self.claims;
        self.log(&Attempt::unrecorded(now));
        self.lease = None;
        self.delivery.due_at = now;
        (self.delivery.state, self.delivery.detail) = if claims >= MAX_CLAIMS {
            let detail = format!("set aside after {claims} hand-overs without any outcome");
            (DeliveryState::Quarantined, detail)
        } else {
            (DeliveryState::Queued, Attempt::UNRECORDED.to_owned())
        };
    }
}
