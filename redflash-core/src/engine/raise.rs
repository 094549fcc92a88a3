//! The way of a raise: decided by what is kept of the directory, recorded, handed over.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::{Engine, RaiseError, Raised};
use crate::dispatcher::{Dispatcher, LeaseGuard, Slot};
use crate::store::{Enqueue, Enqueued};
use crate::{
    Content, Delivery, DeliveryId, DeliveryState, Job, Lane, Notification, NotificationId, Plan,
    Raise, Refusal, StoreError, Verdict,
};

/// A new delivery, with what it takes to hand it over if it is leased from the beginning.
type Born = (Delivery, Option<(Slot, LeaseGuard)>);

impl Engine {
    /// Raises an alert: decides, and records the decision with all deliveries in one transaction.
    ///
    /// When this returns, the alert is as durable as the store is.
    ///
    /// # Errors
    ///
    /// Every variant of [`RaiseError`]. An empty text is refused before the target is looked up. What
    /// was recorded under the same idempotency key is answered again, whatever would be refused now,
    /// as long as the API key still allows it.
    pub async fn raise(&self, raise: Raise) -> Result<Raised, RaiseError> {
        match self.raise_or_refuse(&raise).await {
            Err(refusal) if refusal.gives_way_to_promise() => {
                self.promised(&raise).await?.ok_or(refusal)
            }
            raised => raised,
        }
    }

    /// Returns the alert recorded earlier under the idempotency key of a raise. Needed only when the
    /// raise would be refused: otherwise the transaction that records it finds the earlier alert.
    ///
    /// # Errors
    ///
    /// [`RaiseError::KeyRevoked`] if the API key no longer allows the raise,
    /// [`RaiseError::IdempotencyMismatch`] if the earlier request was another one, and
    /// [`RaiseError::Store`] if the store cannot be read.
    pub async fn promised(&self, raise: &Raise) -> Result<Option<Raised>, RaiseError> {
        let Some(idempotency) = &raise.idempotency else {
            return Ok(None);
        };
        if raise.checked_at.is_some() {
            self.check_again(raise).await?;
        }
        let store = &self.dispatcher.store;
        let raised_by = raise.raised_by.as_ref();
        match store.promised(raised_by, idempotency, self.now()).await? {
            Some(Enqueued::Repeat(earlier)) => Ok(Some(repeat(*earlier))),
            Some(Enqueued::Mismatch) => Err(RaiseError::IdempotencyMismatch),
            Some(Enqueued::New | Enqueued::Outdated) | None => Ok(None),
        }
    }

    async fn raise_or_refuse(&self, raise: &Raise) -> Result<Raised, RaiseError> {
        if self.dispatcher.about_queued() >= self.max_queued {
            let retry_after = Duration::from_secs(1);
            return Err(RaiseError::Overloaded { retry_after });
        }
        if matches!(raise.content(), Content::Message(text) if text.trim().is_empty()) {
            return Err(RaiseError::EmptyMessage);
        }
        // What is kept of the directory decides first. Whether it still holds is found out in the
        // transaction that records the alert, and before anything is refused.
        let mut is_current = false;
        loop {
            match self.try_raise(raise).await {
                Ok(Some(raised)) => return Ok(raised),
                Err(fault) if is_current || !fault.is_decided_by_directory() => return Err(fault),
                Ok(None) | Err(_) => {}
            }
            let Dispatcher { cache, store, .. } = &*self.dispatcher;
            cache.refresh(&**store).await?;
            is_current = true;
        }
    }

    /// Raises an alert by what is kept of the directory; `None` when that was out of date.
    async fn try_raise(&self, raise: &Raise) -> Result<Option<Raised>, RaiseError> {
        let now = self.now();
        let (plan, version) = self.plan(raise, now).await?;
        match plan.refusal {
            Some(Refusal::Disabled) => return Err(RaiseError::Disabled(plan.target)),
            Some(Refusal::MissingArguments) => {
                return Err(RaiseError::MissingArguments(Box::new(plan)));
            }
            Some(Refusal::UnusedArguments) => {
                return Err(RaiseError::UnusedArguments(Box::new(plan)));
            }
            Some(Refusal::EmptyMessage) => return Err(RaiseError::EmptyMessage),
            Some(Refusal::NoRecipients) => return Err(RaiseError::NoRecipients(Box::new(plan))),
            None => {}
        }
        if plan.queued() > DeliveryId::MOST as usize {
            return Err(RaiseError::TooManyRecipients(plan.queued()));
        }
        if raise
            .checked_at
            .is_some_and(|checked_at| checked_at != version)
        {
            self.check_again(raise).await?;
        }
        let notification = Notification {
            id: NotificationId::new(now),
            raised_at: now,
            raised_by: raise.raised_by.clone(),
            plan,
            arguments: match raise.content() {
                Content::Arguments(arguments) => Notification::storable(arguments),
                Content::Message(_) => None,
            },
        };
        self.commit(raise, notification, version).await
    }

    /// Whether the key of a raise, as it is now, allows it.
    async fn check_again(&self, raise: &Raise) -> Result<(), RaiseError> {
        let Some(slug) = &raise.raised_by else {
            return Ok(());
        };
        let key = self.dispatcher.store.api_key(slug).await?;
        match key {
            Some(key) if key.enabled && key.may_raise(raise.target()) => Ok(()),
            _ => Err(RaiseError::KeyRevoked(slug.clone())),
        }
    }

    async fn commit(
        &self,
        raise: &Raise,
        notification: Notification,
        version: u64,
    ) -> Result<Option<Raised>, RaiseError> {
        let now = notification.raised_at;
        let id = notification.id;
        let mut deliveries = deliveries(&notification);
        let slots = self.dispatcher.reserve(lanes(&deliveries));
        for (delivery, slot) in deliveries.iter_mut().zip(&slots) {
            if slot.is_some() {
                delivery.state = DeliveryState::Sending;
            } else if let Some(why) = self.dispatcher.waits_for(&delivery.lane) {
                delivery.detail = why;
            }
        }
        let lease = self.dispatcher.lease(now);
        let held = deliveries.iter().zip(slots).map(|(delivery, slot)| {
            slot.map(|slot| (slot, self.dispatcher.guard(delivery.id, &lease)))
        });
        let held: Vec<_> = held.collect();
        let order = Enqueue {
            notification: &notification,
            deliveries: &deliveries,
            lease: Some(&lease),
            idempotency: raise.idempotency.as_ref(),
            planned_at: Some(version),
        };
        match self.dispatcher.store.enqueue(&order).await {
            Ok(Enqueued::New) => {}
            Ok(Enqueued::Repeat(earlier)) => return Ok(Some(repeat(*earlier))),
            Ok(Enqueued::Outdated) => return Ok(None),
            Ok(Enqueued::Mismatch) => return Err(RaiseError::IdempotencyMismatch),
            Err(StoreError::Unknown(source)) => {
                if self.holds(id).await != Some(true) {
                    let born: Vec<_> = deliveries.into_iter().zip(held).collect();
                    if born.iter().any(|(_, held)| held.is_some()) {
                        tokio::spawn(self.clone().dispatch_later(notification, born));
                    }
                    let source = StoreError::Unknown(source);
                    let notification = Some(id);
                    return Err(RaiseError::Store {
                        notification,
                        source,
                    });
                }
            }
            Err(source) => return Err(source.into()),
        }
        metrics::counter!("redflash_raised_total", "target" => notification.target().kind())
            .increment(1);
        let Plan {
            missing, unused, ..
        } = &notification.plan;
        info!(
            notification = %id,
            target = %notification.target(),
            deliveries = deliveries.len(),
            missing = (!missing.is_empty()).then(|| missing.join(", ")),
            unused = (!unused.is_empty()).then(|| unused.join(", ")),
            "raised"
        );
        let born = deliveries.into_iter().zip(held).collect();
        self.dispatch(&notification, born, Some(version));
        Ok(Some(Raised {
            notification: id,
            plan: notification.plan,
            repeat: false,
        }))
    }

    /// After a commit that failed: whether it holds all the same, if the store can say so now.
    async fn holds(&self, id: NotificationId) -> Option<bool> {
        let found = self.dispatcher.store.notification(id).await;
        found.ok().map(|found| found.is_some())
    }

    /// Hands over what was leased at birth in a commit of which nobody knows yet whether it holds. It
    /// stays this process's until its lease ends; half of that is left for sending.
    async fn dispatch_later(self, notification: Notification, born: Vec<Born>) {
        let half = self.dispatcher.lease_length() / 2;
        let clock = &self.dispatcher.clock;
        let begun = clock.monotonic();
        while clock.monotonic().since(begun) < half {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if self.holds(notification.id).await == Some(true) {
                // The switches are looked at again.
                return self.dispatch(&notification, born, None);
            }
        }
    }

    /// Hands leased deliveries over; the others wait in the store for the dispatcher.
    fn dispatch(&self, notification: &Notification, born: Vec<Born>, version: Option<u64>) {
        let message = Arc::new(notification.plan.message.clone());
        let arguments = notification.arguments.clone().map(Arc::new);
        let mut queued = Vec::new();
        for (delivery, held) in born {
            let Some((slot, guard)) = held else {
                queued.push(delivery.lane);
                continue;
            };
            let job = Job {
                delivery,
                token: guard.token(),
                message: Arc::clone(&message),
                target: notification.target().clone(),
                raised_at: notification.raised_at,
                raised_by: notification.raised_by.clone(),
                arguments: arguments.clone(),
            };
            self.dispatcher.begin(job, slot, guard, version);
        }
        self.dispatcher.queued(&queued);
    }
}

/// The answer to a request that was recorded before.
fn repeat(earlier: Notification) -> Raised {
    Raised {
        notification: earlier.id,
        plan: earlier.plan,
        repeat: true,
    }
}

fn lanes(deliveries: &[Delivery]) -> impl Iterator<Item = &Lane> + Clone {
    deliveries.iter().map(|delivery| &delivery.lane)
}

/// The deliveries that a notification's plan asks for, in the order of the plan.
fn deliveries(notification: &Notification) -> Vec<Delivery> {
    let now = notification.raised_at;
    let mut deliveries = Vec::with_capacity(notification.plan.queued());
    let mut places = 1..=DeliveryId::MOST;
    for recipient in &notification.plan.recipients {
        for endpoint in &recipient.endpoints {
            let (Verdict::Deliver(lane), Some(place)) = (&endpoint.verdict, places.next()) else {
                continue;
            };
            let waiting = Delivery::new(
                DeliveryId::new(notification.id, place),
                recipient.contact.clone(),
                endpoint.endpoint,
                endpoint.channel.clone(),
                endpoint.address.clone(),
                lane.clone(),
                now,
            );
            deliveries.push(Delivery {
                via: recipient.via.clone(),
                ..waiting
            });
        }
    }
    deliveries
}
