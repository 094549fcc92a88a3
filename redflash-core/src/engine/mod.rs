//! The engine: what a program calls to raise an alert, and what the server calls for it.

mod address;
mod alarm;
mod builder;
mod edit;
mod error;
mod gateway_test;
mod handle;
mod health;
mod inbound;
mod manual;
mod raise;
mod resend;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

pub use builder::{AddressRules, EngineBuilder};
pub use edit::{DirectoryItem, EditError, InvalidField, Revision};
pub use error::{RaiseError, ReceiveError};
pub use gateway_test::{GatewayTest, GatewayTestRef, GatewayTestView};
pub use handle::DispatcherHandle;
pub use health::Health;
pub use inbound::{CallbackKind, CallbackOutcome};
pub use raise::obstacle::Obstacle;

use crate::dispatcher::Dispatcher;
use crate::{
    ApiKey, CheckedKey, Gateways, KeyHash, Monotonic, NotificationId, Plan, Raise, Settings, Store,
    StoreError, Target, Timestamp, plan,
};

/// Raises alerts, and sends them once started. Cheap to clone; clones are the same engine.
#[derive(Clone, Debug)]
pub struct Engine {
    dispatcher: Arc<Dispatcher>,
    max_queued: u64,
    /// The most bytes of text or arguments of an alert.
    max_content: usize,
    /// How addresses of channels without a gateway are read.
    address_rules: Option<AddressRules>,
    /// The beginnings of telephone numbers that are refused for what they cost.
    premium_prefixes: Vec<String>,
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
    /// True if this engine's dispatcher runs. Otherwise the alert waits until this engine is started, or
    /// for another process that dispatches from the store.
    pub running: bool,
}

impl Engine {
    /// Starts putting an engine together over a store.
    pub fn builder(store: Arc<dyn Store>) -> EngineBuilder {
        EngineBuilder::new(store)
    }

    /// Decides what a raise would do, and records nothing. [`Plan::refusal`] says whether the raise
    /// would be refused.
    ///
    /// # Errors
    ///
    /// [`RaiseError::TooLarge`], [`RaiseError::Clock`], [`RaiseError::UnknownTarget`] and
    /// [`RaiseError::Store`].
    pub async fn explain(&self, raise: &Raise) -> Result<Plan, RaiseError> {
        self.check_size(raise)?;
        let now = self.now().checked()?;
        let Dispatcher { cache, store, .. } = &*self.dispatcher;
        cache.refresh(&**store).await?;
        Ok(self.plan(raise, now).await?.0)
    }

    async fn plan(&self, raise: &Raise, now: Timestamp) -> Result<(Plan, u64), RaiseError> {
        let unknown = || RaiseError::UnknownTarget(raise.target().clone());
        let view = self
            .dispatcher
            .cache
            .view(&*self.dispatcher.store, raise.target())
            .await?;
        let view = view.ok_or_else(unknown)?;
        let (gateways, version) = (self.dispatcher.gateways(), view.version);
        let plan = if view.contacts.len() < raise::fan_out::MANY_RECIPIENTS {
            plan(raise, &view, &gateways, now)
        } else {
            let raise = raise.clone();
            let planned = async move { plan(&raise, &view, &gateways, now) };
            Box::pin(raise::fan_out::on_blocking_thread(planned)).await
        };
        Ok((plan.ok_or_else(unknown)?, version))
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

    /// Makes the dispatcher look at the queue now, after something else than this engine changed it.
    pub fn wake(&self) {
        self.dispatcher.wake();
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.dispatcher.store
    }

    /// The gateways as they are now.
    pub fn gateways(&self) -> Gateways {
        self.dispatcher.gateways()
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        self.dispatcher.settings()
    }

    /// Replaces the settings of a running engine. What is queued goes through the new gateways; what
    /// is under way ends with the gateway it began with.
    pub fn replace_settings(&self, settings: Settings) {
        self.dispatcher.replace_settings(settings);
    }

    /// The present moment, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.dispatcher.clock.now()
    }

    /// The present reading of the engine's monotonic clock.
    pub fn monotonic(&self) -> Monotonic {
        self.dispatcher.clock.monotonic()
    }

    /// Time since the dispatcher last looked at the queue; `None` before its first look.
    pub fn idle_for(&self) -> Option<Duration> {
        self.dispatcher.idle_for()
    }

    /// Number of nodes that dispatch from the store, as was known a second ago.
    pub fn nodes(&self) -> u32 {
        self.dispatcher.nodes()
    }
}
