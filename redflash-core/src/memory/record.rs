//! Recording notifications in memory, and removing them.

use std::num::NonZeroUsize;

use super::{DeliveryRow, IdempotencyRow, NotificationRow, State};
use crate::clock::Timestamp;
use crate::delivery::{Delivery, Lease};
use crate::message::Idempotency;
use crate::model::{NotificationId, Slug};
use crate::store::{Enqueue, EnqueueMore, Enqueued, OutboxEntry};

impl State {
    pub(super) fn enqueue(&mut self, order: &Enqueue<'_>) -> Enqueued {
        let Enqueue {
            notification,
            deliveries,
            unqueued,
            lease,
            idempotency,
            planned_at,
        } = *order;
        if planned_at.is_some_and(|version| version != self.version) {
            return Enqueued::Outdated;
        }
        let raised_by = notification.raised_by.as_ref();
        if let Some(idempotency) = idempotency {
            let now = notification.raised_at;
            if let Some(known) = self.find_repeat(raised_by, idempotency, now) {
                return known;
            }
            let scope = (raised_by.cloned(), idempotency.key.clone());
            let row = IdempotencyRow {
                digest: idempotency.digest.clone(),
                notification: notification.id,
                at: now,
            };
            self.idempotency.insert(scope, row);
        }
        let logged = NotificationRow {
            notification: notification.clone(),
            deliveries: Vec::with_capacity(deliveries.len()),
            unqueued,
        };
        self.notifications.insert(notification.id, logged);
        self.add(notification.id, deliveries, raised_by, lease);
        Enqueued::New
    }

    pub(super) fn enqueue_more(&mut self, order: &EnqueueMore<'_>) -> bool {
        let Some(logged) = self.notifications.get_mut(&order.notification) else {
            return false;
        };
        if logged.unqueued != order.unqueued_before() {
            return false;
        }
        logged.unqueued = order.unqueued;
        self.add(order.notification, order.deliveries, order.raised_by, None);
        true
    }

    fn add(
        &mut self,
        notification: NotificationId,
        deliveries: &[Delivery],
        raised_by: Option<&Slug>,
        lease: Option<&Lease>,
    ) {
        if let Some(logged) = self.notifications.get_mut(&notification) {
            let ids = deliveries.iter().map(|delivery| delivery.id);
            logged.deliveries.extend(ids);
        }
        for delivery in deliveries {
            let row = DeliveryRow {
                entry: OutboxEntry::new(delivery.clone(), raised_by.cloned(), lease),
                attempts: Vec::new(),
            };
            self.deliveries.insert(delivery.id, row);
        }
    }

    pub(super) fn find_repeat(
        &mut self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Option<Enqueued> {
        self.idempotency
            .retain(|_, kept| now.since(kept.at) < Idempotency::RETENTION);
        let scope = (raised_by.cloned(), idempotency.key.clone());
        let kept = self.idempotency.get(&scope)?;
        Some(if kept.digest == idempotency.digest {
            let earlier = &self.notifications[&kept.notification].notification;
            Enqueued::Repeat(Box::new(earlier.clone()))
        } else {
            Enqueued::Mismatch
        })
    }

    /// Returns true if a notification has nothing left to be sent or recorded.
    pub(super) fn is_finished(&self, logged: &NotificationRow) -> bool {
        let mut ids = logged.deliveries.iter();
        let is_final = |id| self.deliveries[id].entry.delivery.state.is_final();
        logged.unqueued == 0 && ids.all(is_final)
    }

    /// Removes the oldest finished notifications beyond the limit.
    pub(super) fn enforce_limit(&mut self, limit: NonZeroUsize) {
        let surplus = self.notifications.len().saturating_sub(limit.get());
        if surplus == 0 {
            return;
        }
        let oldest_first = self.notifications.values();
        let finished = oldest_first.filter(|logged| self.is_finished(logged));
        let old = finished.take(surplus).map(|logged| logged.notification.id);
        let old: Vec<_> = old.collect();
        self.forget(&old);
    }

    /// Removes notifications with all that belongs to them.
    pub(super) fn forget(&mut self, notifications: &[NotificationId]) {
        for id in notifications {
            let logged = self.notifications.remove(id).into_iter();
            for id in logged.flat_map(|logged| logged.deliveries) {
                self.deliveries.remove(&id);
            }
        }
        self.idempotency
            .retain(|_, row| !notifications.contains(&row.notification));
    }
}
