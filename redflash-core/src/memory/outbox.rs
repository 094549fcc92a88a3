//! The queue and the log in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{MemoryStore, Remembered, Row, State};
use crate::store::{
    Backlog, DeliveryRecord, DueQueue, Enqueue, Enqueued, LogFilter, LogPage, OutboxEntry,
    OutcomeCount, Queue, ReceiptEffect, Recent, Want,
};
use crate::{
    DeliveryId, DeliveryState, Idempotency, Job, Lease, Notification, NotificationId, Outbox,
    Receipt, Settled, Settlement, Slug, StoreError, Timestamp, WorkerId,
};

#[async_trait]
impl Outbox for MemoryStore {
    async fn enqueue(&self, order: &Enqueue<'_>) -> Result<Enqueued, StoreError> {
        Ok(self.state().enqueue(order))
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
            row.entry.lease.is_some_and(|(worker, until)| {
                until <= now || except.is_some_and(|except| except != worker)
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
        Ok(taken_back.len() as u64)
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
        let Some((notification, deliveries)) = state.notifications.get(&id) else {
            return Ok(None);
        };
        let records = deliveries
            .iter()
            .map(|id| &state.deliveries[id])
            .map(|row| DeliveryRecord {
                delivery: row.entry.delivery.clone(),
                attempts_made: row.attempts.clone(),
            });
        Ok(Some((notification.clone(), records.collect())))
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
        let all = newest_first.map(|(notification, ids)| {
            let rows = ids
                .iter()
                .map(|id| state.deliveries[id].entry.delivery.clone());
            (notification.clone(), rows.collect::<Vec<_>>())
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
        Ok(Backlog {
            queued: of(DeliveryState::Queued).count() as u64,
            sending: of(DeliveryState::Sending).count() as u64,
            oldest_due: of(DeliveryState::Queued)
                .map(|row| row.entry.delivery.due_at)
                .min(),
        })
    }

    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError> {
        let mut state = self.state();
        let ended = |ids: &[_]| {
            ids.iter()
                .all(|id| state.deliveries[id].entry.delivery.state.is_final())
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
            .inbound
            .retain(|_, inbound| inbound.received_at >= before);
        state
            .meters
            .retain(|(_, window), (starts_at, _)| starts_at.plus(window.length()) > before);
        state
            .idempotency
            .retain(|_, remembered| !old.contains(&remembered.notification));
        Ok(old.len() as u64)
    }

    async fn probe(&self, _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }
}

impl State {
    fn enqueue(&mut self, order: &Enqueue<'_>) -> Enqueued {
        let Enqueue {
            notification,
            deliveries,
            lease,
            idempotency,
            planned_at,
        } = *order;
        if planned_at.is_some_and(|version| version != self.version) {
            return Enqueued::Outdated;
        }
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
            let raised_by = notification.raised_by.clone();
            let row = Row {
                entry: OutboxEntry::new(delivery.clone(), raised_by, lease),
                attempts: Vec::new(),
            };
            self.deliveries.insert(delivery.id, row);
        }
        Enqueued::New
    }

    fn claim(&mut self, lease: &Lease, want: &Want) -> Vec<Job> {
        let due = |row: &&mut Row| {
            row.is(DeliveryState::Queued)
                && row.entry.delivery.due_at <= lease.now
                && row.queue() == want.queue
        };
        let mut rows: Vec<_> = self.deliveries.values_mut().filter(due).collect();
        rows.sort_by_key(|row| (row.entry.delivery.due_at, row.entry.delivery.id));
        let claimed = rows.into_iter().take(want.limit.get() as usize).map(|row| {
            row.entry.lease_to(lease);
            let notification = &self.notifications[&row.entry.delivery.notification].0;
            Job {
                delivery: row.entry.delivery.clone(),
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

    fn queue(&self) -> Queue {
        Queue {
            lane: self.entry.delivery.lane.clone(),
            raised_by: self.entry.raised_by.clone(),
        }
    }
}
