//! Recording an alert with its deliveries, and handing over those that were leased with it.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::deliveries::deliveries;
use super::fan_out::{FirstPiece, PIECE_SIZE, Remainder};
use super::unknown;
use crate::delivery::{Delivery, DeliveryState, Job, Lane, Lease};
use crate::dispatcher::InFlight;
use crate::engine::{Engine, RaiseError, Raised};
use crate::message::Raise;
use crate::model::NotificationId;
use crate::plan::{Notification, Plan};
use crate::store::{Enqueued, StoreError};

impl Engine {
    pub(super) async fn commit(
        &self,
        raise: &Raise,
        notification: Notification,
        version: u64,
    ) -> Result<Option<Raised>, RaiseError> {
        let now = notification.raised_at;
        let id = notification.id;
        let mut deliveries = deliveries(&notification);
        let remainder = Remainder {
            notification: id,
            raised_by: notification.raised_by.clone(),
            deliveries: deliveries.split_off(PIECE_SIZE.min(deliveries.len())),
        };
        let lease = self.dispatcher.lease(now);
        let leased = self.lease_at_birth(&notification, &mut deliveries, &lease);
        let first = Box::new(FirstPiece {
            notification,
            deliveries,
            unqueued: remainder.deliveries.len(),
            lease,
            idempotency: raise.idempotency.clone(),
            planned_at: version,
        });
        let (first, enqueued) = first.record(Arc::clone(&self.dispatcher.store)).await;
        match enqueued {
            Ok(Enqueued::New) => {}
            Ok(other) => {
                leased.into_iter().for_each(InFlight::disown);
                return match other {
                    Enqueued::Repeat(earlier) => Ok(Some(self.repeated(*earlier))),
                    Enqueued::Mismatch => Err(RaiseError::IdempotencyMismatch),
                    Enqueued::Outdated | Enqueued::New => Ok(None),
                };
            }
            Err(StoreError::Unknown(source)) => {
                if self.is_recorded(id).await != Some(true) {
                    self.dispatch_later(id, leased);
                    return Err(unknown(id, source));
                }
            }
            Err(source) => {
                leased.into_iter().for_each(InFlight::disown);
                return Err(source.into());
            }
        }
        let notification = &first.notification;
        metrics::counter!("redflash_raised_total", "target" => notification.target().kind())
            .increment(1);
        let Plan {
            missing, unused, ..
        } = &notification.plan;
        info!(
            notification = %id,
            target = %notification.target(),
            deliveries = first.deliveries.len() + remainder.deliveries.len(),
            missing = (!missing.is_empty()).then(|| missing.join(", ")),
            unused = (!unused.is_empty()).then(|| unused.join(", ")),
            "raised"
        );
        for in_flight in leased {
            self.dispatcher.begin(in_flight, Some(version));
        }
        let waits = |delivery: &&Delivery| delivery.state == DeliveryState::Queued;
        let queued = first.deliveries.iter().filter(waits);
        let queued = queued.chain(&remainder.deliveries);
        let lanes = queued.map(|delivery| &delivery.lane);
        self.dispatcher.queued(lanes);
        self.record_remainder(remainder).await;
        Ok(Some(Raised {
            notification: id,
            plan: first.notification.plan,
            repeat: false,
            running: self.dispatcher.is_running(),
        }))
    }

    /// Leases the deliveries that can be handed over at once, before they are recorded. The others
    /// get the reason why they wait.
    fn lease_at_birth(
        &self,
        notification: &Notification,
        deliveries: &mut [Delivery],
        lease: &Lease,
    ) -> Vec<InFlight> {
        let slots = self.dispatcher.reserve(lanes(deliveries));
        let message = Arc::new(notification.plan.message.clone());
        let arguments = notification.arguments.clone().map(Arc::new);
        let mut leased = Vec::new();
        for (delivery, slot) in deliveries.iter_mut().zip(slots) {
            let Some(slot) = slot else {
                if let Some(why) = self.dispatcher.wait_reason(&delivery.lane) {
                    delivery.detail = why;
                }
                continue;
            };
            delivery.state = DeliveryState::Sending;
            let guard = self.dispatcher.guard(delivery.id, lease);
            let job = Job {
                delivery: delivery.clone(),
                token: guard.token(),
                message: Arc::clone(&message),
                target: notification.target().clone(),
                raised_at: notification.raised_at,
                raised_by: notification.raised_by.clone(),
                arguments: arguments.clone(),
            };
            leased.push(InFlight::new(job, slot, guard));
        }
        leased
    }

    /// Returns true if a commit that failed was applied all the same; `None` if the store cannot
    /// answer now.
    async fn is_recorded(&self, id: NotificationId) -> Option<bool> {
        let found = self.dispatcher.store.notification(id).await;
        found.ok().map(|found| found.is_some())
    }

    /// Hands over the deliveries that were leased in a commit of unknown outcome, once it is found.
    /// They belong to this process until their lease ends; half of that is left for sending.
    fn dispatch_later(&self, id: NotificationId, leased: Vec<InFlight>) {
        let engine = self.clone();
        let Some(life) = self.dispatcher.life().filter(|_| !leased.is_empty()) else {
            return;
        };
        life.spawn_hand_over(async move {
            let half = engine.dispatcher.lease_length() / 2;
            let clock = &engine.dispatcher.clock;
            let begun = clock.monotonic();
            while clock.monotonic().since(begun) < half {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if engine.is_recorded(id).await == Some(true) {
                    for in_flight in leased {
                        // The switches are checked again.
                        engine.dispatcher.begin(in_flight, None);
                    }
                    return;
                }
            }
        });
    }
}

fn lanes(deliveries: &[Delivery]) -> impl Iterator<Item = &Lane> + Clone {
    deliveries.iter().map(|delivery| &delivery.lane)
}
