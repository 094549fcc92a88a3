//! The queue and the log in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{MemoryStore, Row, State};
use crate::store::{
    Backlog, ClaimRequest, ClockStep, DeliveryRecord, DueQueue, Enqueue, EnqueueMore, Enqueued,
    FanOut, LogFilter, LogPage, OutcomeCount, Overdue, Queue, ReceiptEffect, Recent, Serving,
};
use crate::{
    Delivery, DeliveryId, DeliveryState, HeldLease, Idempotency, Job, Lane, Lease, LeaseToken,
    Notification, NotificationId, Outbox, Receipt, Settled, Settlement, Slug, StoreError,
    Timestamp, WorkerId,
};

#[async_trait]
impl Outbox for MemoryStore {
    async fn enqueue(&self, order: &Enqueue<'_>) -> Result<Enqueued, StoreError> {
        let mut state = self.state();
        let enqueued = state.enqueue(order);
        state.keep(self.limit);
        Ok(enqueued)
    }

    async fn enqueue_more(&self, order: &EnqueueMore<'_>) -> Result<bool, StoreError> {
        Ok(self.state().enqueue_more(order))
    }

    async fn unfinished(&self) -> Result<Vec<FanOut>, StoreError> {
        let state = self.state();
        let fan_outs = state.notifications.iter().map(|(id, logged)| FanOut {
            notification: *id,
            unqueued: logged.unqueued,
        });
        Ok(fan_outs.filter(|fan_out| fan_out.unqueued > 0).collect())
    }

    async fn promised(
        &self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Enqueued>, StoreError> {
        Ok(self.state().promised(raised_by, idempotency, now))
    }

    fn serve(&self, _worker: WorkerId) -> Result<Serving, StoreError> {
        if self.has_nodes {
            return Ok(Serving::shared(()));
        }
        self.serving.take()
    }

    async fn due_queues(&self) -> Result<Vec<DueQueue>, StoreError> {
        let state = self.state();
        let mut first: BTreeMap<Queue, Timestamp> = BTreeMap::new();
        for row in state
            .deliveries
            .values()
            .filter(|row| row.is(DeliveryState::Queued))
        {
            let row_due_at = row.entry.delivery.due_at;
            let due_at = first.entry(row.queue()).or_insert(row_due_at);
            *due_at = row_due_at.min(*due_at);
        }
        let queues = first
            .into_iter()
            .map(|(queue, due_at)| DueQueue { queue, due_at });
        Ok(queues.collect())
    }

    async fn claim_due(
        &self,
        lease: &Lease,
        wants: &[ClaimRequest],
    ) -> Result<Vec<Job>, StoreError> {
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
        #[cfg(test)]
        if state.records_nothing {
            return Err(StoreError::Unavailable("the store is down".into()));
        }
        Ok(settlements
            .iter()
            .map(|settlement| state.settle(worker, settlement))
            .collect())
    }

    async fn renew(
        &self,
        worker: WorkerId,
        held: &[HeldLease],
        until: Timestamp,
    ) -> Result<Vec<HeldLease>, StoreError> {
        let mut state = self.state();
        let mut lost = held.to_vec();
        lost.retain(|held| {
            let row = state.deliveries.get_mut(&held.delivery);
            !row.is_some_and(|row| row.entry.renew(worker, held.token, until))
        });
        Ok(lost)
    }

    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
        running: &[HeldLease],
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut state = self.state();
        let orphaned = |row: &&mut Row| {
            row.entry.lease.is_some_and(|lease| {
                let ended =
                    lease.until <= now || except.is_some_and(|except| except != lease.worker);
                ended && !running.contains(&row.held(lease.token))
            })
        };
        let mut taken_back = Vec::new();
        for row in state.deliveries.values_mut().filter(orphaned) {
            let attempt = row.entry.take_back(now);
            row.attempts.push(attempt);
            taken_back.push(row.entry.delivery.id);
        }
        for id in &taken_back {
            state.apply_early(*id);
        }
        let rows = taken_back.iter().map(|id| &state.deliveries[id]);
        Ok(rows.map(|row| row.entry.delivery.clone()).collect())
    }

    async fn requeue_unconfirmed(
        &self,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<u64, StoreError> {
        let mut state = self.state();
        let mut rows = state.deliveries.values_mut();
        let missing = std::iter::from_fn(|| {
            rows.find_map(|row| {
                let attempt = row.entry.miss_receipt(now)?;
                row.attempts.push(attempt);
                Some(())
            })
        });
        Ok(missing.take(limit.get() as usize).count() as u64)
    }

    async fn give_up(
        &self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut state = self.state();
        let most = limit.get() as usize;
        let mut given_up = Vec::new();
        for overdue in overdue {
            let why = match overdue {
                Overdue::Attempted { .. } => None,
                Overdue::Waiting { why, .. } => Some(&**why),
            };
            let rows = state
                .deliveries
                .values_mut()
                .filter(|row| row.is_overdue(overdue));
            for row in rows.take(most - given_up.len()) {
                if row.entry.give_up(why, now) {
                    given_up.push(row.entry.delivery.clone());
                }
            }
        }
        Ok(given_up)
    }

    async fn follow_clock(&self, step: &ClockStep, worker: WorkerId) -> Result<u64, StoreError> {
        let mut state = self.state();
        let move_it = |at: &mut Timestamp| {
            *at = Timestamp::from_millis(at.as_millis().saturating_add(step.by()));
        };
        let mut moved = 0;
        for row in state.deliveries.values_mut() {
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
        Ok(moved)
    }

    async fn bring_forward(&self, now: Timestamp, latest: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let mut moved = 0;
        for row in state.deliveries.values_mut() {
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
        Ok(moved)
    }

    async fn record_receipt(
        &self,
        gateway: &Slug,
        receipt: &Receipt,
        now: Timestamp,
    ) -> Result<ReceiptEffect, StoreError> {
        Ok(self.receive(gateway, receipt, now))
    }

    async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut state = self.state();
        let rows = state.deliveries.values_mut();
        let ours = rows.filter(|row| {
            let delivery = &row.entry.delivery;
            delivery.notification == id && only.is_none_or(|only| delivery.id == only)
        });
        Ok(ours.map(|row| u64::from(row.entry.resend(now))).sum())
    }

    async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, StoreError> {
        let state = self.state();
        let Some(logged) = state.notifications.get(&id) else {
            return Ok(None);
        };
        let records = logged
            .deliveries
            .iter()
            .map(|id| &state.deliveries[id])
            .map(|row| DeliveryRecord {
                delivery: row.entry.delivery.clone(),
                attempts_made: row.attempts.clone(),
            });
        Ok(Some((logged.notification.clone(), records.collect())))
    }

    async fn log(&self, filter: &LogFilter) -> Result<LogPage, StoreError> {
        let indexed = LogFilter {
            state: filter.state.filter(|state| !LogFilter::is_usual(*state)),
            channel: None,
            gateway: None,
            target: None,
            text: None,
            ..filter.clone()
        };
        let state = self.state();
        let newest_first = state.notifications.values().rev();
        let all = newest_first.map(|logged| {
            let rows = logged
                .deliveries
                .iter()
                .map(|id| state.deliveries[id].entry.delivery.clone());
            (logged.notification.clone(), rows.collect::<Vec<_>>())
        });
        let most = if filter.looks_through() {
            LogFilter::LOOKED_THROUGH as usize
        } else {
            usize::MAX
        };
        let mut page = LogPage::default();
        let candidates =
            all.filter(|(notification, deliveries)| indexed.lets(notification, deliveries));
        for (place, (notification, deliveries)) in candidates.enumerate() {
            if page.entries.len() == filter.limit.get() as usize || place == most {
                return Ok(page);
            }
            page.next = Some(notification.id);
            if filter.lets(&notification, &deliveries) {
                page.entries.push((notification, deliveries));
            }
        }
        page.next = None;
        Ok(page)
    }

    async fn recent(&self, since: Timestamp, step: Duration) -> Result<Recent, StoreError> {
        let state = self.state();
        let most = Recent::COUNTED as usize;
        let first = NotificationId::first_at(since);
        let mut rows: Vec<_> = state.deliveries.values().collect();
        rows.retain(|row| row.entry.delivery.notification >= first);
        rows.sort_by_key(|row| Reverse(row.entry.delivery.id));
        let attempts = rows.iter().flat_map(|row| row.attempts.iter().rev());
        let mut recent = Recent {
            cut: rows.len() > most || attempts.clone().count() > most,
            ..Recent::default()
        };
        for row in rows.iter().take(most) {
            *recent.states.entry(row.entry.delivery.state).or_default() += 1;
        }
        let mut counts = BTreeMap::<_, u64>::new();
        for attempt in attempts.take(most) {
            let at = attempt.ended_at.floor(step);
            *counts
                .entry((at, attempt.gateway.clone(), attempt.outcome))
                .or_default() += 1;
        }
        recent.outcomes = counts
            .into_iter()
            .map(|((at, gateway, outcome), count)| OutcomeCount {
                gateway,
                at,
                outcome,
                count,
            })
            .collect();
        Ok(recent)
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let state = self.state();
        let of = |wanted| state.deliveries.values().filter(move |row| row.is(wanted));
        let unqueued = state.notifications.values();
        let unqueued: u64 = unqueued.map(|logged| u64::from(logged.unqueued)).sum();
        Ok(Backlog {
            queued: of(DeliveryState::Queued).count() as u64 + unqueued,
            sending: of(DeliveryState::Sending).count() as u64,
            oldest_due: of(DeliveryState::Queued)
                .map(|row| row.entry.delivery.due_at)
                .min(),
        })
    }

    async fn waiting(&self) -> Result<Vec<(Lane, u64)>, StoreError> {
        let state = self.state();
        let mut lanes: BTreeMap<Lane, u64> = BTreeMap::new();
        let rows = state.deliveries.values();
        for row in rows.filter(|row| row.is(DeliveryState::Queued)) {
            *lanes.entry(row.entry.delivery.lane.clone()).or_default() += 1;
        }
        Ok(lanes.into_iter().collect())
    }

    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError> {
        let mut state = self.state();
        let old = state.notifications.values();
        let old = old
            .filter(|logged| logged.notification.raised_at < before && state.is_finished(logged));
        let old = old.take(limit.get() as usize);
        let old: Vec<_> = old.map(|logged| logged.notification.id).collect();
        state.forget(&old);
        state
            .inbound
            .retain(|_, inbound| inbound.received_at >= before);
        state
            .meters
            .retain(|(_, window), (starts_at, _)| starts_at.plus(window.length()) > before);
        Ok(old.len() as u64)
    }

    async fn probe(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

impl State {
    fn claim(&mut self, lease: &Lease, want: &ClaimRequest) -> Vec<Job> {
        let due = |row: &&mut Row| {
            row.is(DeliveryState::Queued)
                && row.entry.delivery.due_at <= lease.now
                && row.queue() == want.queue
        };
        let mut rows: Vec<_> = self.deliveries.values_mut().filter(due).collect();
        rows.sort_by_key(|row| (row.entry.delivery.due_at, row.entry.delivery.id));
        let claimed = rows.into_iter().take(want.limit.get() as usize).map(|row| {
            row.entry.lease_to(lease);
            let logged = &self.notifications[&row.entry.delivery.notification];
            let notification = &logged.notification;
            Job {
                delivery: row.entry.delivery.clone(),
                token: lease.token,
                message: Arc::new(notification.plan.message.clone()),
                target: notification.target().clone(),
                raised_at: notification.raised_at,
                raised_by: notification.raised_by.clone(),
                arguments: notification.arguments.clone().map(Arc::new),
            }
        });
        claimed.collect()
    }

    fn settle(&mut self, worker: WorkerId, settlement: &Settlement) -> Settled {
        let id = settlement.delivery.id;
        let Some(row) = self.deliveries.get_mut(&id) else {
            return Settled::Lost;
        };
        if settlement
            .attempt
            .as_ref()
            .is_some_and(|attempt| row.attempts.contains(attempt))
        {
            // It was recorded before, and the answer was lost.
            return Settled::Recorded;
        }
        let (attempt, settled) = row.entry.settle(worker, settlement);
        row.attempts.extend(attempt);
        if row.entry.may_have_early_receipts() {
            self.apply_early(id);
        }
        settled
    }
}

impl Row {
    fn is(&self, state: DeliveryState) -> bool {
        self.entry.delivery.state == state
    }

    fn is_overdue(&self, overdue: &Overdue) -> bool {
        let delivery = &self.entry.delivery;
        let is_overdue = match overdue {
            Overdue::Attempted { channel, before } => {
                delivery.channel == *channel
                    && delivery.first_attempt_at.is_some_and(|at| at < *before)
            }
            Overdue::Waiting { lane, before, .. } => {
                delivery.lane == *lane
                    && delivery.first_attempt_at.is_none()
                    && delivery.notification < NotificationId::first_at(*before)
            }
        };
        is_overdue && self.is(DeliveryState::Queued)
    }

    fn held(&self, token: LeaseToken) -> HeldLease {
        HeldLease {
            delivery: self.entry.delivery.id,
            token,
        }
    }

    fn queue(&self) -> Queue {
        Queue {
            lane: self.entry.delivery.lane.clone(),
            raised_by: self.entry.raised_by.clone(),
        }
    }
}
