//! An alert is raised, whichever URL it came to.

use std::time::Duration;

use jiff::SignedDuration;
use redflash_core::store::DeliveryRecord;
use redflash_core::{
    Actor, ApiKey, DeliveryState, Idempotency, Name, NotificationId, Raise, RaiseError, Raised,
    Recipient, StoreError, error_chain,
};
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
    /// How its deliveries stand, if that was waited for.
    records: Option<Vec<DeliveryRecord>>,
}

/// An alert that is on disk, as the caller is told.
#[derive(Debug, Serialize)]
pub(crate) struct RaiseResponse {
    pub(crate) notification_id: NotificationId,
    queued: usize,
    skipped: usize,
    /// After a wait: how many deliveries a gateway has taken.
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

/// Raises an alert, and waits for its first attempts if that is wanted. A key that raises too much
/// is answered all the same if it repeats an earlier request.
///
/// * `key` - the API key, which may raise this.
/// * `promise` - the caller's `Idempotency-Key`.
pub(crate) async fn raise(
    app: &App,
    key: &ApiKey,
    mut raise: Raise,
    promise: Option<String>,
    wait: Option<Duration>,
) -> Result<RaiseOutcome, RaiseFailure> {
    let engine = app.engine.clone();
    let is_large = off_thread::is_large(raise.content());
    let limited = app.check_rate(key).err();
    let work = async move {
        raise.idempotency = promise.map(|key| Idempotency {
            key,
            digest: idempotency::digest(raise.target(), raise.content()),
        });
        match limited {
            None => recorded(engine.raise(raise).await),
            Some(refusal) => {
                let earlier = recorded(engine.promised(&raise).await)?;
                earlier.ok_or(RaiseFailure::NotServed(refusal))
            }
        }
    };
    let raised = run_detached(off_thread::run(is_large, work)).await???;
    let records = match wait {
        None => None,
        Some(limit) => {
            let records = app.engine.wait(raised.notification, limit).await;
            Some(records.map_err(|fault| lost_sight(raised.notification, &fault))?)
        }
    };
    Ok(RaiseOutcome { raised, records })
}

/// Raises an alert by hand, which the audit log tells.
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

/// Does something on a task of its own: a client that goes away must not stop it half-way.
///
/// # Errors
///
/// [`RequestError::internal`] when it breaks off.
pub(crate) async fn run_detached<T: Send + 'static>(
    deed: impl Future<Output = T> + Send + 'static,
) -> Result<T, RequestError> {
    tokio::spawn(deed).await.map_err(|error| {
        error!(%error, "what was asked for broke off half-way");
        RequestError::internal()
    })
}

fn recorded<T>(raised: Result<T, RaiseError>) -> Result<T, RaiseFailure> {
    raised.map_err(|fault| {
        if let RaiseError::Store { source, .. } = &fault {
            error!(fault = error_chain(source), "an alert was not recorded");
        }
        RaiseFailure::Refused(fault)
    })
}

fn lost_sight(id: NotificationId, fault: &StoreError) -> RaiseFailure {
    error!(notification = %id, fault = error_chain(fault), "lost sight of an alert");
    RaiseFailure::OutcomeUnknown(id)
}

/// A length of time as it is written: `10s`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let length: SignedDuration = text.parse().ok()?;
    length.try_into().ok()
}

/// How long an answer waits for the first attempts; `None` for not at all.
///
/// * `asked` - the wait that the request asks for.
pub(crate) fn wait_limit(config: &HttpConfig, asked: Option<Duration>) -> Option<Duration> {
    match asked {
        None => (config.mode == Mode::Sync).then_some(config.sync_wait),
        Some(wait) => (!wait.is_zero()).then(|| wait.min(config.max_wait)),
    }
}

/// What a test says to somebody, if nothing else is asked for.
pub(crate) fn endpoint_test_message(name: &Name) -> String {
    format!("A test of RedFlash, for {name}. Nothing has happened.")
}

/// What a test of a gateway says, if nothing else is asked for.
pub(crate) const GATEWAY_TEST_MESSAGE: &str = "This is a test of RedFlash.";

impl RaiseOutcome {
    /// What was raised.
    pub(crate) const fn raised(&self) -> &Raised {
        &self.raised
    }

    /// Whether somebody who is on is told nothing.
    pub(crate) fn has_unreached(&self) -> bool {
        self.raised.plan.unreached().next().is_some()
    }

    /// After a wait: how many deliveries a gateway has taken, of how many.
    pub(crate) fn sent(&self) -> Option<(usize, usize)> {
        let taken = |record: &&DeliveryRecord| {
            let state = record.delivery.state;
            matches!(state, DeliveryState::Sent | DeliveryState::Delivered)
        };
        let records = self.records.as_ref()?;
        // Of a large alert some may not be recorded yet.
        let all = self.raised.plan.queued();
        Some((records.iter().filter(taken).count(), all))
    }

    /// What whoever has this key is told.
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
