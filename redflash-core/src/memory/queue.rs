//! The queue in memory: claimed, settled, taken back and given up.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::{DeliveryRow, State};
use crate::clock::Timestamp;
use crate::delivery::{
    Delivery, DeliveryState, HeldLease, Job, Lease, LeaseToken, Settled, Settlement,
};
use crate::model::{NotificationId, WorkerId};
use crate::store::{ClaimRequest, Overdue, Queue};

impl State {
    pub(super) fn claim(&mut self, lease: &Lease, request: &ClaimRequest) -> Vec<Job> {
        let due = |row: &&mut DeliveryRow| {
            row.is(DeliveryState::Queued)
                && row.entry.delivery.due_at <= lease.now
                && row.queue() == request.queue
        };
        let mut rows: Vec<_> = self.deliveries.values_mut().filter(due).collect();
        rows.sort_by_key(|row| (row.entry.delivery.due_at, row.entry.delivery.id));
        let claimed = rows
            .into_iter()
            .take(request.limit.get() as usize)
            .map(|row| {
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

    pub(super) fn settle(&mut self, worker: WorkerId, settlement: &Settlement) -> Settled {
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

    pub(super) fn requeue_orphans(
        &mut self,
        now: Timestamp,
        except: Option<WorkerId>,
        running: &[HeldLease],
    ) -> Vec<Delivery> {
        let orphaned = |row: &&mut DeliveryRow| {
            row.entry.lease.is_some_and(|lease| {
                let ended =
                    lease.until <= now || except.is_some_and(|except| except != lease.worker);
                ended && !running.contains(&row.held(lease.token))
            })
        };
        let mut taken_back = Vec::new();
        for row in self.deliveries.values_mut().filter(orphaned) {
            let attempt = row.entry.take_back(now);
            row.attempts.push(attempt);
            taken_back.push(row.entry.delivery.id);
        }
        for id in &taken_back {
            self.apply_early(*id);
        }
        let rows = taken_back.iter().map(|id| &self.deliveries[id]);
        rows.map(|row| row.entry.delivery.clone()).collect()
    }

    pub(super) fn requeue_unconfirmed(&mut self, now: Timestamp, limit: NonZeroU32) -> u64 {
        let mut rows = self.deliveries.values_mut();
        let missing = std::iter::from_fn(|| {
            rows.find_map(|row| {
                let attempt = row.entry.miss_receipt(now)?;
                row.attempts.push(attempt);
                Some(())
            })
        });
        missing.take(limit.get() as usize).count() as u64
    }

    pub(super) fn give_up(
        &mut self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Vec<Delivery> {
        let most = limit.get() as usize;
        let mut given_up = Vec::new();
        for overdue in overdue {
            let why = match overdue {
                Overdue::Attempted { .. } => None,
                Overdue::Waiting { why, .. } => Some(&**why),
            };
            let rows = self
                .deliveries
                .values_mut()
                .filter(|row| row.is_overdue(overdue));
            for row in rows.take(most - given_up.len()) {
                if row.entry.give_up(why, now) {
                    given_up.push(row.entry.delivery.clone());
                }
            }
        }
        given_up
    }
}

impl DeliveryRow {
    pub(super) fn is(&self, state: DeliveryState) -> bool {
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

    pub(super) fn queue(&self) -> Queue {
        Queue {
            lane: self.entry.delivery.lane.clone(),
            raised_by: self.entry.raised_by.clone(),
        }
    }
}
