//! Raising an alert: decided from the cached directory, recorded, handed over.

mod commit;
mod deliveries;
pub(super) mod fan_out;
pub(super) mod obstacle;
mod preview;
mod size;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::BoxError;
use crate::dispatcher::Dispatcher;
use crate::engine::{Engine, RaiseError, Raised};
use crate::message::{Content, Raise};
use crate::model::{DeliveryId, NotificationId};
use crate::panicked::caught;
use crate::plan::{Notification, Refusal};
use crate::store::{Enqueued, StoreError};

/// The caller that waits for a raise.
#[derive(Debug)]
struct Caller {
    answer: oneshot::Sender<Result<Raised, RaiseError>>,
    /// The notification, once its commit has begun.
    began: CommitStarted,
}

/// The notification whose commit has begun.
type CommitStarted = Arc<OnceLock<NotificationId>>;

impl Engine {
    /// Raises an alert: decides, and records the decision with its deliveries in one transaction.
    ///
    /// When this returns, the alert is as durable as the store. The last deliveries of a large
    /// alert are still to be queued, which continues whatever ends. It may be called from anywhere,
    /// also outside a runtime, once the engine is started. If its future is dropped earlier, the
    /// alert is either recorded and sent, or not recorded at all.
    ///
    /// # Errors
    ///
    /// Every variant of [`RaiseError`]. An alert that is too large is refused before anything else,
    /// and an empty text before the target is looked up. A request that was recorded under the same
    /// idempotency key gets the same answer, even if it would be refused now, as long as the API
    /// key still allows it.
    pub async fn raise(&self, raise: Raise) -> Result<Raised, RaiseError> {
        self.check_size(&raise)?;
        self.now().checked()?;
        let life = self.dispatcher.life();
        if let Some(life) = life.as_ref().filter(|life| !life.is_own_process()) {
            return Err(forked(life.process()));
        }
        let Some(life) = life.filter(|life| life.is_accepting()) else {
            return self.raise_here(&raise, None).await;
        };
        let (raise, began) = (Arc::new(raise), CommitStarted::default());
        let (answer, answered) = oneshot::channel();
        let (engine, asked) = (self.clone(), Arc::clone(&raise));
        let caller = Caller {
            answer,
            began: Arc::clone(&began),
        };
        life.spawn_raise(async move {
            let raised = engine.raise_here(&asked, Some(&caller)).await;
            // A recorded alert is sent, whether or not the caller still waits.
            let _ = caller.answer.send(raised);
        });
        if let Ok(raised) = answered.await {
            return raised;
        }
        // The runtime that started the engine has ended meanwhile.
        match began.get() {
            Some(id) => self.recorded_meanwhile(*id).await,
            None => self.raise_here(&raise, None).await,
        }
    }

    /// Returns the answer to a raise whose commit had begun when the engine's runtime ended.
    async fn recorded_meanwhile(&self, id: NotificationId) -> Result<Raised, RaiseError> {
        let found = caught(self.dispatcher.store.notification(id)).await;
        if let Ok(Ok(Some((notification, _)))) = found {
            return Ok(Raised {
                repeat: false,
                ..self.repeated(notification)
            });
        }
        Err(unknown(id, "the engine's runtime ended in the meantime"))
    }

    /// Raises an alert on the caller's task. A panic of the store counts as its failure.
    async fn raise_here(
        &self,
        raise: &Raise,
        caller: Option<&Caller>,
    ) -> Result<Raised, RaiseError> {
        // On the heap, so that futures that raise stay small.
        let raised = caught(Box::pin(self.raise_or_repeat(raise, caller))).await;
        raised.unwrap_or_else(|panicked| {
            let why = format!("the store {panicked}");
            match caller.and_then(|caller| caller.began.get()) {
                Some(id) => Err(unknown(*id, why)),
                None => Err(StoreError::Backend(why.into()).into()),
            }
        })
    }

    async fn raise_or_repeat(
        &self,
        raise: &Raise,
        caller: Option<&Caller>,
    ) -> Result<Raised, RaiseError> {
        match self.raise_or_refuse(raise, caller).await {
            Err(refusal) if refusal.gives_way_to_repeat() => {
                self.find_repeat(raise).await?.ok_or(refusal)
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
    pub async fn find_repeat(&self, raise: &Raise) -> Result<Option<Raised>, RaiseError> {
        let Some(idempotency) = &raise.idempotency else {
            return Ok(None);
        };
        if raise.checked_at.is_some() {
            self.check_again(raise).await?;
        }
        let store = &self.dispatcher.store;
        let raised_by = raise.raised_by.as_ref();
        match store
            .find_repeat(raised_by, idempotency, self.now())
            .await?
        {
            Some(Enqueued::Repeat(earlier)) => Ok(Some(self.repeated(*earlier))),
            Some(Enqueued::Mismatch) => Err(RaiseError::IdempotencyMismatch),
            Some(Enqueued::New | Enqueued::Outdated) | None => Ok(None),
        }
    }

    async fn raise_or_refuse(
        &self,
        raise: &Raise,
        caller: Option<&Caller>,
    ) -> Result<Raised, RaiseError> {
        if self.dispatcher.about_queued() >= self.max_queued {
            let retry_after = Duration::from_secs(1);
            return Err(RaiseError::Overloaded { retry_after });
        }
        if matches!(raise.content(), Content::Message(text) if text.trim().is_empty()) {
            return Err(RaiseError::EmptyMessage);
        }
        // The cached directory decides first. The transaction that records the alert checks that it
        // is current, and so does the engine before it refuses anything.
        let mut is_current = false;
        loop {
            match self.try_raise(raise, caller).await {
                Ok(Some(raised)) => return Ok(raised),
                Err(error) if is_current || !error.is_decided_by_directory() => return Err(error),
                Ok(None) | Err(_) => {}
            }
            let Dispatcher { cache, store, .. } = &*self.dispatcher;
            cache.refresh(&**store).await?;
            is_current = true;
        }
    }

    /// Raises an alert by the cached directory; `None` if the cache was out of date.
    async fn try_raise(
        &self,
        raise: &Raise,
        caller: Option<&Caller>,
    ) -> Result<Option<Raised>, RaiseError> {
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
        if plan.queued() > DeliveryId::MAX_PER_NOTIFICATION as usize {
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
        if let Some(caller) = caller {
            if caller.answer.is_closed() {
                // The caller is gone, and nothing is recorded yet.
                return Err(StoreError::Unavailable("the caller has given up".into()).into());
            }
            let _ = caller.began.set(notification.id);
        }
        self.commit(raise, notification, version).await
    }

    /// Checks that the key of a raise, as it is now, allows it.
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

    /// Returns the answer to a request that was recorded before.
    fn repeated(&self, earlier: Notification) -> Raised {
        Raised {
            notification: earlier.id,
            plan: earlier.plan,
            repeat: true,
            running: self.dispatcher.is_running(),
        }
    }
}

/// Returns the error of a raise whose commit has an unknown outcome.
fn unknown(id: NotificationId, why: impl Into<BoxError>) -> RaiseError {
    RaiseError::Store {
        notification: Some(id),
        source: StoreError::Unknown(why.into()),
    }
}

/// Returns the error of a raise in a fork of the process that started the engine.
fn forked(process: u32) -> RaiseError {
    let here = std::process::id();
    let why = format!(
        "process {process} started the engine, and this is process {here}: open the store and start an engine again after a fork"
    );
    StoreError::Unavailable(why.into()).into()
}
