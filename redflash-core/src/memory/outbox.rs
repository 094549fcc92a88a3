//! The queue and the log in memory.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;

use super::MemoryStore;
use crate::clock::Timestamp;
use crate::delivery::{
    Delivery, DeliveryState, HeldLease, Job, Lane, Lease, Receipt, Settled, Settlement,
};
use crate::message::Idempotency;
use crate::model::{DeliveryId, NotificationId, Slug, WorkerId};
use crate::plan::Notification;
use crate::store::{
    Backlog, ClaimRequest, ClockStep, DeliveryRecord, DueQueue, Enqueue, EnqueueMore, Enqueued,
    FanOut, LogFilter, LogPage, Outbox, Overdue, Queue, ReceiptEffect, Recent, Serving, StoreError,
};

#[async_trait]
impl Outbox for MemoryStore {
    async fn enqueue(&self, order: &Enqueue<'_>) -> Result<Enqueued, StoreError> {
        let mut state = self.state();
        let enqueued = state.enqueue(order);
        state.enforce_limit(self.limit);
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

    async fn find_repeat(
        &self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Enqueued>, StoreError> {
        Ok(self.state().find_repeat(raised_by, idempotency, now))
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
        requests: &[ClaimRequest],
    ) -> Result<Vec<Job>, StoreError> {
        let mut state = self.state();
        Ok(requests
            .iter()
            .flat_map(|request| state.claim(lease, request))
            .collect())
    }

    async fn settle(
        &self,
        worker: WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<Settled>, StoreError> {
        let mut state = self.state();
        #[cfg(test)]
        if state.refuses_outcomes {
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
        Ok(self.state().requeue_orphans(now, except, running))
    }

    async fn requeue_unconfirmed(
        &self,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<u64, StoreError> {
        Ok(self.state().requeue_unconfirmed(now, limit))
    }

    async fn give_up(
        &self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.state().give_up(overdue, now, limit))
    }

    async fn follow_clock(&self, step: &ClockStep, worker: WorkerId) -> Result<u64, StoreError> {
        Ok(self.state().follow_clock(step, worker))
    }

    async fn bring_forward(&self, now: Timestamp, latest: Timestamp) -> Result<u64, StoreError> {
        Ok(self.state().bring_forward(now, latest))
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
        Ok(self.state().log(filter))
    }

    async fn recent(&self, since: Timestamp, step: Duration) -> Result<Recent, StoreError> {
        Ok(self.state().recent(since, step))
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
