//! Raising and explaining alerts.

use std::time::Duration;

use redflash_core::Engine;
use redflash_core::delivery::DeliveryState;
use redflash_core::engine::{Obstacle, Raised};
use redflash_core::message::{Content, Raise};
use redflash_core::model::{NotificationId, Target};
use redflash_core::plan::{Notification, Plan};
use redflash_core::store::{DeliveryRecord, StoreError};
use redflash_store::Access;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api_client::{ApiClient, DEADLINE};
use super::local::LocalStore;
use super::response_error::unreadable;
use super::{Backend, Location};
use crate::context::{Missing, ServedBy};
use crate::error::CliError;
use crate::format::time;

/// The outcome of a raise.
#[derive(Debug)]
pub(crate) struct RaiseOutcome {
    pub(crate) target: Target,
    pub(crate) notification: NotificationId,
    pub(crate) queued: usize,
    pub(crate) skipped: usize,
    /// Arguments that the event's templates need and that were not given.
    pub(crate) missing: Vec<String>,
    /// Arguments that were given and that the event's templates do not use.
    pub(crate) unused: Vec<String>,
    /// The plan; `None` if the key may not see it.
    pub(crate) plan: Option<Plan>,
    /// The deliveries, if they were waited for and the key may see them.
    pub(crate) deliveries: Option<Vec<DeliveryRecord>>,
    /// The number of sent deliveries, if they were waited for.
    pub(crate) sent: Option<usize>,
    /// True if a recipient that is on is known to be unreached.
    pub(crate) misses_recipient: bool,
    /// True if no server is running to send it.
    pub(crate) is_unserved: bool,
}

/// The response to a raise.
#[derive(Debug, Deserialize)]
struct RaiseResponse {
    notification_id: NotificationId,
    queued: usize,
    skipped: usize,
    #[serde(default)]
    sent: Option<usize>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    unused: Vec<String>,
    /// Present only for keys with the inspect permission.
    #[serde(default)]
    recipients: Option<Value>,
}

/// A notification, as a key with the inspect permission sees it.
#[derive(Debug, Deserialize)]
pub(super) struct NotificationDetails {
    #[serde(flatten)]
    pub(super) notification: Notification,
    pub(super) deliveries: Vec<DeliveryRecord>,
}

/// Time that hand-overs in progress have to finish when the command ends.
const GRACE: Duration = Duration::from_secs(10);

impl Backend {
    /// Returns the plan of a raise.
    pub(crate) async fn explain(&self, raise: &Raise) -> Result<Plan, CliError> {
        match &self.location {
            Location::Local(local) => Ok(local.engine().await?.explain(raise).await?),
            Location::Remote(api) => {
                let request = api.request(Method::POST, &path(raise.target(), "explain"));
                api.read(request.json(&body(raise))).await
            }
        }
    }

    /// Raises an alert.
    ///
    /// * `wait` - maximum time to wait for the first attempts.
    pub(crate) async fn raise(
        &self,
        raise: Raise,
        wait: Option<Duration>,
    ) -> Result<RaiseOutcome, CliError> {
        match &self.location {
            Location::Local(local) => local.raise(raise, wait).await,
            Location::Remote(api) => api.raise(&raise, wait).await,
        }
    }
}

impl LocalStore {
    async fn raise(&self, raise: Raise, wait: Option<Duration>) -> Result<RaiseOutcome, CliError> {
        let server: Option<ServedBy> = self.context.served_by().await?;
        let Some(limit) = wait else {
            let raised = self.engine().await?.raise(raise).await?;
            return Ok(RaiseOutcome::new(raised, None, server.is_none()));
        };
        if server.is_some() {
            let engine = self.engine().await?;
            let raised = engine.raise(raise).await?;
            let records = watch(engine, &raised, limit).await?;
            return Ok(RaiseOutcome::new(raised, Some(records), false));
        }
        // No server is running, so this process sends the alert.
        let engine = self.context.engine(Access::Server, Missing::Refuse).await?;
        let running = engine.start().await?;
        let raised = engine.raise(raise).await?;
        let records = engine.wait(raised.notification, limit).await?;
        running.shutdown(GRACE).await;
        Ok(RaiseOutcome::new(raised, Some(records), false))
    }
}

/// Waits for the first attempts of an alert that a server sends, unless all gateways will retry only
/// after the limit. Deliveries without an attempt get the gateway that they wait for as their detail.
async fn watch(
    engine: &Engine,
    raised: &Raised,
    limit: Duration,
) -> Result<Vec<DeliveryRecord>, StoreError> {
    let obstacles = engine.obstacles(&raised.plan).await?;
    let until = engine.now().plus(limit);
    let next_try = |one: &Option<Obstacle>| one.as_ref().and_then(|one| one.next_try_at);
    let retries_late = |one| next_try(one).is_some_and(|next_try| next_try > until);
    let is_futile = !obstacles.is_empty() && obstacles.iter().all(retries_late);
    let limit = if is_futile { Duration::ZERO } else { limit };
    let mut records = engine.wait(raised.notification, limit).await?;
    for (record, obstacle) in records.iter_mut().zip(obstacles) {
        let delivery = &mut record.delivery;
        if let Some(obstacle) = obstacle
            && delivery.state == DeliveryState::Queued
            && delivery.detail.is_empty()
        {
            let next = obstacle.next_try_at;
            let next = next.map(|at| format!(", next attempt {}", time(at)));
            delivery.detail = format!(
                "waiting for gateway {}: {}{}",
                obstacle.gateway,
                obstacle.reason,
                next.unwrap_or_default()
            );
        }
    }
    Ok(records)
}

impl ApiClient {
    async fn raise(&self, raise: &Raise, wait: Option<Duration>) -> Result<RaiseOutcome, CliError> {
        let target = raise.target().clone();
        let mut request = self.request(Method::POST, &path(&target, "messages"));
        if let Some(wait) = wait {
            request = request.query(&[("wait", format!("{}s", wait.as_secs()))]);
            request = request.timeout(DEADLINE + wait);
        }
        let response = self.send(request.json(&body(raise))).await?;
        let is_partly = response.status() == StatusCode::ACCEPTED;
        let response = response.bytes().await;
        let response = response.map_err(|error| unreadable(&error.without_url()))?;
        let response: RaiseResponse =
            serde_json::from_slice(&response).map_err(|error| unreadable(&error))?;
        let mut details = None;
        if response.recipients.is_some() {
            // The alert is on disk: failing to read it back is not an error.
            details = self
                .notification(response.notification_id)
                .await
                .ok()
                .flatten();
        }
        let (plan, deliveries) = details
            .map(|details| (details.notification.plan, details.deliveries))
            .unzip();
        Ok(RaiseOutcome {
            target,
            notification: response.notification_id,
            queued: response.queued,
            skipped: response.skipped,
            missing: response.missing,
            unused: response.unused,
            plan,
            deliveries: deliveries.filter(|_| wait.is_some()),
            sent: response.sent,
            misses_recipient: is_partly,
            is_unserved: false,
        })
    }

    /// Returns a notification, if it exists.
    pub(super) async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<NotificationDetails>, CliError> {
        let request = self.request(Method::GET, &["notifications", &id.to_string()]);
        self.read_if_found(request).await
    }
}

impl RaiseOutcome {
    fn new(raised: Raised, deliveries: Option<Vec<DeliveryRecord>>, is_unserved: bool) -> Self {
        let plan = raised.plan;
        let count_sent = |all: &Vec<_>| all.iter().filter(|one| is_sent(one)).count();
        let misses_recipient = plan.unreached().next().is_some();
        Self {
            target: plan.target.clone(),
            notification: raised.notification,
            queued: plan.queued(),
            skipped: plan.skipped(),
            missing: plan.missing.clone(),
            unused: plan.unused.clone(),
            misses_recipient,
            plan: Some(plan),
            sent: deliveries.as_ref().map(count_sent),
            deliveries,
            is_unserved,
        }
    }
}

/// Returns true if a gateway has accepted the delivery.
pub(crate) const fn is_sent(record: &DeliveryRecord) -> bool {
    matches!(
        record.delivery.state,
        DeliveryState::Sent | DeliveryState::Delivered
    )
}

/// Returns the path of an action on a target.
fn path<'a>(target: &'a Target, action: &'a str) -> [&'a str; 3] {
    let list = match target {
        Target::Contact(_) => "contacts",
        Target::Group(_) => "groups",
        Target::Event(_) => "events",
    };
    [list, target.slug().as_str(), action]
}

fn body(raise: &Raise) -> Value {
    match raise.content() {
        Content::Message(text) => json!({ "message": text }),
        Content::Arguments(arguments) if raise.strict => {
            json!({ "arguments": arguments, "strict": true })
        }
        Content::Arguments(arguments) => json!({ "arguments": arguments }),
    }
}
