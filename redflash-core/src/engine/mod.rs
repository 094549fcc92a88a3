//! The engine, which raises alerts for a program or for the server.

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

pub use crate::dispatcher::{ShutdownReport, StartError};
pub use crate::gateway::gateways::BuildError;
pub use crate::settings::Settings;

use crate::clock::{Monotonic, Timestamp};
use crate::dispatcher::Dispatcher;
use crate::gateway::Gateways;
use crate::message::Raise;
use crate::model::{ApiKey, CheckedKey, KeyHash, NotificationId, Target};
use crate::plan::{Plan, plan};
use crate::store::{IntoStore, Store, StoreError};

/// Raises alerts, and sends them once started. Cheap to clone; clones are the same engine.
#[derive(Clone, Debug)]
pub struct Engine {
    dispatcher: Arc<Dispatcher>,
    max_queued: u64,
    /// The largest text or arguments of an alert, in bytes.
    max_content: usize,
    /// The parser for addresses of channels without a gateway.
    address_rules: Option<AddressRules>,
    /// The prefixes of refused premium-rate phone numbers.
    premium_prefixes: Vec<String>,
}

/// An alert that was raised and is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    /// The notification's id.
    pub notification: NotificationId,
    /// The recipients, and those that were skipped with their reasons.
    pub plan: Plan,
    /// True if this is the answer to an earlier, equal request.
    pub repeat: bool,
    /// True if this engine's dispatcher runs. Otherwise the alert waits until this engine, or
    /// another process, dispatches from the store.
    pub running: bool,
}

impl Engine {
    /// Starts putting an engine together over a store.
    ///
    /// * `store` - a store, an `Arc` of one, or an `Arc<dyn Store>`.
    pub fn builder(store: impl IntoStore) -> EngineBuilder {
        EngineBuilder::new(store.into_store())
    }

    /// Returns the plan of a raise, and records nothing. [`Plan::refusal`] has the reason if the
    /// raise would be refused.
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

    /// Returns the key with this secret as it is now, switched on or off.
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

    /// Returns the key with this secret, switched on or off, for a raise [with](Raise::with_key)
    /// it.
    ///
    /// A key that allowed the target a moment ago may have changed since; the raise checks again.
    /// Any other key is returned as it is now.
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

    /// Makes the dispatcher poll the queue now, after a change by something other than this engine.
    pub fn wake(&self) {
        self.dispatcher.wake();
    }

    /// Returns the store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.dispatcher.store
    }

    /// Returns the present gateways.
    pub fn gateways(&self) -> Gateways {
        self.dispatcher.gateways()
    }

    /// Returns the present settings.
    pub fn settings(&self) -> Arc<Settings> {
        self.dispatcher.settings()
    }

    /// Replaces the settings of a running engine. Queued deliveries go through the new gateways;
    /// those in flight end with the gateway they began with.
    pub fn replace_settings(&self, settings: Settings) {
        self.dispatcher.replace_settings(settings);
    }

    /// Returns the present time, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.dispatcher.clock.now()
    }

    /// Returns the present reading of the engine's monotonic clock.
    pub fn monotonic(&self) -> Monotonic {
        self.dispatcher.clock.monotonic()
    }

    /// Returns the time since the dispatcher's last poll; `None` before the first one.
    pub fn idle_for(&self) -> Option<Duration> {
        self.dispatcher.idle_for()
    }

    /// Returns the number of nodes that dispatch from the store, as of the last second.
    pub fn nodes(&self) -> u32 {
        self.dispatcher.nodes()
    }
}
