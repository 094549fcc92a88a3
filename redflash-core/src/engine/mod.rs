//! The engine: what a program calls to raise an alert, and what the server calls for it.

mod builder;
mod error;

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use builder::EngineBuilder;
pub use error::{RaiseError, ReceiptError};

use crate::dispatcher::{Dispatcher, GatewayHealth, Slot};
use crate::store::{DeliveryRecord, Enqueue, Enqueued, ReceiptEffect};
use crate::{
    ApiKey, Callback, CheckedKey, Content, Delivery, DeliveryId, DeliveryState, Gateways, Job,
    KeyHash, Lane, Notification, NotificationId, Plan, Raise, Refusal, Slug, Store, StoreError,
    Target, Timestamp, Verdict, plan,
};

/// Raises alerts, and sends them once started. Cheap to clone; clones are the same engine.
#[derive(Clone, Debug)]
pub struct Engine {
    dispatcher: Arc<Dispatcher>,
    max_queued: u64,
}

/// An alert that was raised: it is on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    /// Names it.
    pub notification: NotificationId,
    /// Who is told, who is not, and why.
    pub plan: Plan,
    /// Whether this is the answer to an earlier, equal request.
    pub repeat: bool,
}

/// How an engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether the dispatcher works.
    pub running: bool,
    /// When it last looked at the queue.
    pub moved_at: Option<Timestamp>,
    /// About how many deliveries wait.
    pub queued: u64,
    /// How many nodes dispatch from the store, as was known a second ago.
    pub nodes: u32,
    /// Every gateway that was used lately, by lane.
    pub gateways: Vec<GatewayHealth>,
}

/// A started dispatcher. Dropping it stops the dispatcher without waiting for what is under way.
#[derive(Debug)]
#[must_use = "dropping the handle stops the dispatcher"]
pub struct Handle {
    dispatcher: Arc<Dispatcher>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    recorder: tokio::task::JoinHandle<()>,
    /// Cancelled when no outcome is left to be recorded.
    settled: CancellationToken,
}

/// How often a waiter looks for itself, should another process send what it waits for.
const LOOK: Duration = Duration::from_millis(250);

impl Engine {
    /// Starts putting an engine together over a store.
    pub fn builder(store: Arc<dyn Store>) -> EngineBuilder {
        EngineBuilder::new(store)
    }

    /// Raises an alert: decides, and records the decision with all deliveries in one transaction.
    ///
    /// When this returns, the alert is as durable as the store is.
    ///
    /// # Errors
    ///
    /// Every variant of [`RaiseError`]. An empty text is refused before the target is looked up.
    pub async fn raise(&self, raise: Raise) -> Result<Raised, RaiseError> {
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
            match self.try_raise(&raise).await {
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
        let slots = self.dispatcher.reserve(lanes(&deliveries), now);
        for (delivery, slot) in deliveries.iter_mut().zip(&slots) {
            if slot.is_some() {
                delivery.state = DeliveryState::Sending;
            }
        }
        let order = Enqueue {
            notification: &notification,
            deliveries: &deliveries,
            lease: Some(&self.dispatcher.lease(now)),
            idempotency: raise.idempotency.as_ref(),
            planned_at: Some(version),
        };
        match self.dispatcher.store.enqueue(&order).await {
            Ok(Enqueued::New) => {}
            Ok(Enqueued::Repeat(earlier)) => {
                return Ok(Some(Raised {
                    notification: earlier.id,
                    plan: earlier.plan,
                    repeat: true,
                }));
            }
            Ok(Enqueued::Outdated) => return Ok(None),
            Ok(Enqueued::Mismatch) => return Err(RaiseError::IdempotencyMismatch),
            Err(StoreError::Unknown(source)) => {
                if self.holds(id).await != Some(true) {
                    let born = deliveries.into_iter().zip(slots).collect();
                    tokio::spawn(self.clone().dispatch_later(notification, born));
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
        info!(
            notification = %id,
            target = %notification.target(),
            deliveries = deliveries.len(),
            "raised"
        );
        let born = deliveries.into_iter().zip(slots).collect();
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

    /// Hands over what was leased at birth in a commit of which nobody knows yet whether it holds:
    /// as long as this process has the lease, nobody else does.
    async fn dispatch_later(self, notification: Notification, born: Vec<(Delivery, Option<Slot>)>) {
        let end = self.dispatcher.lease(notification.raised_at).until;
        while self.now() < end {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if self.holds(notification.id).await == Some(true) {
                // The switches are looked at again.
                return self.dispatch(&notification, born, None);
            }
        }
    }

    /// Hands leased deliveries over; the others wait in the store for the dispatcher.
    fn dispatch(
        &self,
        notification: &Notification,
        born: Vec<(Delivery, Option<Slot>)>,
        version: Option<u64>,
    ) {
        let message = Arc::new(notification.plan.message.clone());
        let mut queued = Vec::new();
        for (delivery, slot) in born {
            let Some(slot) = slot else {
                queued.push(delivery.lane);
                continue;
            };
            let job = Job {
                delivery,
                message: Arc::clone(&message),
                target: notification.target().clone(),
                raised_at: notification.raised_at,
                raised_by: notification.raised_by.clone(),
            };
            self.dispatcher.begin(job, slot, version);
        }
        self.dispatcher.queued(&queued);
    }

    /// Decides what a raise would do, and records nothing. [`Plan::refusal`] says whether the raise
    /// would be refused.
    ///
    /// # Errors
    ///
    /// [`RaiseError::UnknownTarget`] and [`RaiseError::Store`].
    pub async fn explain(&self, raise: &Raise) -> Result<Plan, RaiseError> {
        let Dispatcher { cache, store, .. } = &*self.dispatcher;
        cache.refresh(&**store).await?;
        Ok(self.plan(raise, self.now()).await?.0)
    }

    async fn plan(&self, raise: &Raise, now: Timestamp) -> Result<(Plan, u64), RaiseError> {
        let unknown = || RaiseError::UnknownTarget(raise.target().clone());
        let view = self
            .dispatcher
            .cache
            .view(&*self.dispatcher.store, raise.target())
            .await?;
        let view = view.ok_or_else(unknown)?;
        let plan = plan(raise, &view, &self.dispatcher.gateways, now).ok_or_else(unknown)?;
        Ok((plan, view.version))
    }

    /// The key whose secret this is, on or off, as it is now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store does not answer.
    pub async fn api_key(&self, secret: &SecretString) -> Result<Option<ApiKey>, StoreError> {
        let Dispatcher { cache, store, .. } = &*self.dispatcher;
        cache.refresh(&**store).await?;
        let known = self.key_to_raise(secret, None).await?;
        Ok(known.map(|checked| checked.key))
    }

    /// The key whose secret this is, on or off, to raise something [with](Raise::with_key).
    ///
    /// One that was on and allowed the target a moment ago may since have changed; the raise finds
    /// out. Any other is as it is now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store does not answer.
    pub async fn key_to_raise(
        &self,
        secret: &SecretString,
        target: Option<&Target>,
    ) -> Result<Option<CheckedKey>, StoreError> {
        let hash = KeyHash::of(secret.expose_secret());
        let allows =
            |key: &ApiKey| key.enabled && target.is_none_or(|target| key.may_raise(target));
        let Dispatcher { cache, store, .. } = &*self.dispatcher;
        cache.api_key(&**store, &hash, allows).await
    }

    /// Starts sending, on the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when what a predecessor left behind cannot be taken back.
    pub async fn start(&self) -> Result<Handle, StoreError> {
        self.dispatcher.recover().await?;
        let stop = CancellationToken::new();
        let dispatcher = Arc::clone(&self.dispatcher);
        let task = tokio::spawn(Arc::clone(&dispatcher).run(stop.clone()));
        let settled = CancellationToken::new();
        let recorder = tokio::spawn(dispatcher.record(settled.clone()));
        Ok(Handle {
            dispatcher,
            stop,
            task,
            recorder,
            settled,
        })
    }

    /// Waits until each delivery of a notification has had an attempt or has ended, or until the
    /// time is up. Returns the deliveries as they then stand.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when there is no such notification, others when the store fails.
    pub async fn wait(
        &self,
        id: NotificationId,
        limit: Duration,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let waiter = self.dispatcher.waiters.wait(id);
        let attempted = async {
            loop {
                let mut settled = std::pin::pin!(waiter.notify.notified());
                settled.as_mut().enable();
                let records = self.records(id).await?;
                if records.iter().all(|record| attempted(&record.delivery)) {
                    return Ok(records);
                }
                let _ = timeout(LOOK, settled).await;
            }
        };
        match timeout(limit, attempted).await {
            Ok(records) => records,
            Err(_) => self.records(id).await,
        }
    }

    async fn records(&self, id: NotificationId) -> Result<Vec<DeliveryRecord>, StoreError> {
        let found = self.dispatcher.store.notification(id).await?;
        let missing = || StoreError::Missing {
            what: format!("notification {id}"),
        };
        Ok(found.ok_or_else(missing)?.1)
    }

    /// Applies the receipts that a gateway's callback brings.
    ///
    /// # Errors
    ///
    /// Every variant of [`ReceiptError`]; receipts read before a failing one stay applied.
    pub async fn record_receipts(
        &self,
        gateway: &Slug,
        callback: &Callback<'_>,
    ) -> Result<Vec<ReceiptEffect>, ReceiptError> {
        let known = self.dispatcher.gateways.get(gateway);
        let known = known.ok_or_else(|| ReceiptError::UnknownGateway(gateway.clone()))?;
        let mut effects = Vec::new();
        for receipt in known.channel.parse_receipts(callback)? {
            let store = &self.dispatcher.store;
            let effect = store.record_receipt(gateway, &receipt, self.now()).await?;
            if effect == ReceiptEffect::Unmatched {
                warn!(%gateway, "a receipt for a delivery that is not known");
            }
            effects.push(effect);
        }
        Ok(effects)
    }

    /// Makes the dispatcher look at the queue now, after something else than this engine changed it.
    pub fn wake(&self) {
        self.dispatcher.wake();
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.dispatcher.store
    }

    /// The gateways.
    pub fn gateways(&self) -> &Gateways {
        &self.dispatcher.gateways
    }

    /// The present moment, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.dispatcher.clock.now()
    }

    /// How many nodes dispatch from the store, as was known a second ago.
    pub fn nodes(&self) -> u32 {
        self.dispatcher.nodes()
    }

    /// How the engine is.
    pub fn health(&self) -> Health {
        Health {
            running: self.dispatcher.is_running(),
            moved_at: self.dispatcher.moved_at(),
            queued: self.dispatcher.about_queued(),
            nodes: self.dispatcher.nodes(),
            gateways: self.dispatcher.gateway_health(),
        }
    }
}

impl Handle {
    /// Stops claiming, and waits for what is under way, at most so long. What is not finished by
    /// then is taken back at the next start, marked as possibly sent.
    pub async fn shutdown(self, grace: Duration) {
        self.stop.cancel();
        let mut handle = self;
        if let Err(fault) = (&mut handle.task).await {
            warn!(error = %fault, "the dispatcher ended badly");
        }
        handle.dispatcher.finish(grace).await;
        handle.settled.cancel();
        if let Err(fault) = (&mut handle.recorder).await {
            warn!(error = %fault, "recording ended badly");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

const fn attempted(delivery: &Delivery) -> bool {
    match delivery.state {
        DeliveryState::Sending => false,
        DeliveryState::Queued => delivery.attempts > 0,
        _ => true,
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
            deliveries.push(Delivery {
                id: DeliveryId::new(notification.id, place),
                notification: notification.id,
                contact: recipient.contact.clone(),
                endpoint: endpoint.endpoint,
                channel: endpoint.channel.clone(),
                address: endpoint.address.clone(),
                via: recipient.via.clone(),
                lane: lane.clone(),
                state: DeliveryState::Queued,
                attempts: 0,
                due_at: now,
                first_attempt_at: None,
                gateway: None,
                message_id: None,
                parts: None,
                price: None,
                detail: String::new(),
                may_repeat: false,
            });
        }
    }
    deliveries
}
