//! Raising alerts, for every interface.

use std::time::Duration;

use jiff::SignedDuration;
use redflash_core::delivery::DeliveryState;
use redflash_core::engine::{RaiseError, Raised};
use redflash_core::error_chain;
use redflash_core::message::{Idempotency, Raise};
use redflash_core::model::{Actor, ApiKey, Name, NotificationId};
use redflash_core::plan::Recipient;
use redflash_core::store::{DeliveryRecord, StoreError};
use serde::Serialize;
use tracing::error;

use crate::app::App;
use crate::error::{RaiseFailure, RequestError};
use crate::extract::idempotency;
use crate::{HttpConfig, Mode, off_thread};

/// An alert that is on disk.
#[derive(Debug)]
pub(crate) struct RaiseOutcome {
    raised: Raised,
    /// Its deliveries, if the request waited for them.
    records: Option<Vec<DeliveryRecord>>,
}

/// The response to a raise.
#[derive(Debug, Serialize)]
pub(crate) struct RaiseResponse {
    pub(crate) notification_id: NotificationId,
    queued: usize,
    skipped: usize,
    /// After a wait: the number of deliveries that a gateway has accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<usize>,
    /// Arguments that the event's templates need and that were not given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    /// Arguments that were given and that the event's templates do not use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unused: Vec<String>,
    /// For keys that may inspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<Vec<Recipient>>,
}

/// Raises an alert, and waits for its first attempts if the request asks for that. A repeated request
/// gets its earlier response even if its key exceeds the rate limit.
///
/// * `key` - the API key, which may raise this.
/// * `idempotency_key` - the caller's `Idempotency-Key`.
pub(crate) async fn raise(
    app: &App,
    key: &ApiKey,
    mut raise: Raise,
    idempotency_key: Option<String>,
    wait: Option<Duration>,
) -> Result<RaiseOutcome, RaiseFailure> {
    let engine = app.engine.clone();
    let is_large = off_thread::is_large(raise.content());
    let over_limit = app.check_rate(key).err();
    let work = async move {
        raise.idempotency = idempotency_key.map(|key| Idempotency {
            key,
            digest: idempotency::digest(raise.target(), raise.content()),
        });
        match over_limit {
            None => recorded(engine.raise(raise).await),
            Some(error) => {
                let earlier = recorded(engine.find_repeat(&raise).await)?;
                earlier.ok_or(RaiseFailure::NotServed(error))
            }
        }
    };
    let raised = run_detached(off_thread::run(is_large, work)).await???;
    let records = match wait {
        None => None,
        Some(limit) => {
            let records = app.engine.wait(raised.notification, limit).await;
            Some(records.map_err(|error| outcome_unknown(raised.notification, &error))?)
        }
    };
    Ok(RaiseOutcome { raised, records })
}

/// Raises an alert manually, which the audit log records.
pub(crate) async fn raise_as(
    app: &App,
    raise: Raise,
    by: Actor,
) -> Result<RaiseOutcome, RaiseFailure> {
    let engine = app.engine.clone();
    let raise = async move { engine.raise_as(raise, &by).await };
    Ok(RaiseOutcome {
        raised: recorded(run_detached(raise).await?)?,
        records: None,
    })
}

/// Runs work on a task of its own, so that a client that disconnects does not interrupt it.
///
/// # Errors
///
/// [`RequestError::internal`] if the task panics.
pub(crate) async fn run_detached<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, RequestError> {
    tokio::spawn(work).await.map_err(|error| {
        error!(%error, "a task panicked");
        RequestError::internal()
    })
}

fn recorded<T>(raised: Result<T, RaiseError>) -> Result<T, RaiseFailure> {
    raised.map_err(|error| {
        if let RaiseError::Store { source, .. } = &error {
            error!(error = error_chain(source), "an alert was not recorded");
        }
        RaiseFailure::Refused(error)
    })
}

fn outcome_unknown(id: NotificationId, error: &StoreError) -> RaiseFailure {
    error!(notification = %id, error = error_chain(error), "the deliveries of an alert could not be read");
    RaiseFailure::OutcomeUnknown(id)
}

/// Parses a duration such as `10s`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let duration: SignedDuration = text.parse().ok()?;
    duration.try_into().ok()
}

/// Returns the time for which a response waits for the first attempts; `None` for no wait.
///
/// * `requested` - the wait that the request asks for.
pub(crate) fn wait_limit(config: &HttpConfig, requested: Option<Duration>) -> Option<Duration> {
    match requested {
        None => (config.mode == Mode::Sync).then_some(config.sync_wait),
        Some(wait) => (!wait.is_zero()).then(|| wait.min(config.max_wait)),
    }
}

/// Returns the default message of an endpoint test.
pub(crate) fn endpoint_test_message(name: &Name) -> String {
    format!("A test of RedFlash, for {name}. Nothing has happened.")
}

/// The default message of a gateway test.
pub(crate) const GATEWAY_TEST_MESSAGE: &str = "This is a test of RedFlash.";

impl RaiseOutcome {
    /// Returns the recorded notification.
    pub(crate) const fn raised(&self) -> &Raised {
        &self.raised
    }

    /// Returns true if an enabled contact is not notified.
    pub(crate) fn has_unreached(&self) -> bool {
        self.raised.plan.unreached().next().is_some()
    }

    /// Returns the number of deliveries that a gateway has accepted, and that of all; `None` without a wait.
    pub(crate) fn sent(&self) -> Option<(usize, usize)> {
        let accepted = |record: &&DeliveryRecord| {
            let state = record.delivery.state;
            matches!(state, DeliveryState::Sent | DeliveryState::Delivered)
        };
        let records = self.records.as_ref()?;
        // Of a large alert some may not be recorded yet.
        let all = self.raised.plan.queued();
        Some((records.iter().filter(accepted).count(), all))
    }

    /// Returns the response for the holder of a key.
    pub(crate) fn into_response(self, key: &ApiKey) -> RaiseResponse {
        let sent = self.sent().map(|(sent, _)| sent);
        let plan = self.raised.plan;
        RaiseResponse {
            notification_id: self.raised.notification,
            queued: plan.queued(),
            skipped: plan.skipped(),
            sent,
            missing: plan.missing,
            unused: plan.unused,
            recipients: (key.inspect || key.admin).then_some(plan.recipients),
        }
    }
}
