//! The log, the audit log and inbound messages.

use std::num::NonZeroU32;

use redflash_core::delivery::Delivery;
use redflash_core::inbound::Inbound;
use redflash_core::model::{AuditEntry, DeliveryId, NotificationId};
use redflash_core::plan::Notification;
use redflash_core::store::{AuditFilter, DeliveryRecord, InboundFilter, LogFilter};
use reqwest::Method;
use serde::Deserialize;

use super::local::LocalStore;
use super::raise::NotificationDetails;
use super::{Backend, Location};
use crate::error::{CliError, Exit};
use crate::operator::operator;

/// An entry of the log.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(flatten)]
    notification: Notification,
    deliveries: Vec<Delivery>,
}

/// Notifications with their deliveries, newest first.
type Logged = Vec<(Notification, Vec<Delivery>)>;

/// The number of deliveries returned to the queue.
#[derive(Debug, Deserialize)]
struct Resent {
    resent: u64,
}

impl Backend {
    /// Returns the newest matching notifications.
    pub(crate) async fn log(&self, filter: &LogFilter) -> Result<Logged, CliError> {
        match &self.location {
            Location::Local(local) => local.log(filter.clone()).await,
            Location::Remote(api) => {
                let limit = filter.limit.get() as usize;
                let found = api
                    .some("notifications", "notifications", &query(filter), limit)
                    .await?;
                let parts = |entry: Entry| (entry.notification, entry.deliveries);
                Ok(found.into_iter().map(parts).collect())
            }
        }
    }

    /// Returns a notification with its deliveries and attempts.
    pub(crate) async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<(Notification, Vec<DeliveryRecord>), CliError> {
        let found = match &self.location {
            Location::Local(local) => local.engine().await?.store().notification(id).await?,
            Location::Remote(api) => {
                let parts = |whole: NotificationDetails| (whole.notification, whole.deliveries);
                api.notification(id).await?.map(parts)
            }
        };
        found.ok_or_else(|| {
            let message = format!("there is no notification {id}: see `redflash log`");
            CliError::new(Exit::Refused, message)
        })
    }

    /// Returns unsuccessful deliveries of a notification to the queue, and returns their number.
    ///
    /// * `only` - the only delivery to resend.
    pub(crate) async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
    ) -> Result<u64, CliError> {
        match &self.location {
            Location::Local(local) => {
                let (_, deliveries) = self.notification(id).await?;
                let is_there = |only| deliveries.iter().any(|record| record.delivery.id == only);
                if let Some(only) = only.filter(|only| !is_there(*only)) {
                    let message = format!("notification {id} has no delivery {only}");
                    return Err(CliError::new(Exit::Refused, message));
                }
                Ok(local.engine().await?.resend(id, only, &operator()).await?)
            }
            Location::Remote(api) => {
                let path = ["notifications", &id.to_string(), "resend"];
                let request = api.request(Method::POST, &path);
                let body = match only {
                    Some(only) => serde_json::json!({ "delivery": only }),
                    None => serde_json::json!({}),
                };
                let resent: Resent = api.read(request.json(&body)).await?;
                Ok(resent.resent)
            }
        }
    }

    /// Returns the newest matching inbound messages.
    pub(crate) async fn inbound(&self, filter: &InboundFilter) -> Result<Vec<Inbound>, CliError> {
        match &self.location {
            Location::Local(local) => Ok(local.engine().await?.store().inbound(filter).await?),
            Location::Remote(api) => {
                let named = [
                    ("contact", filter.contact.as_ref().map(ToString::to_string)),
                    ("cursor", filter.before.map(|before| before.to_string())),
                ];
                api.some(
                    "inbound",
                    "inbound",
                    &with_value(named),
                    filter.limit.get() as usize,
                )
                .await
            }
        }
    }

    /// Returns the newest matching entries of the audit log.
    pub(crate) async fn audit_entries(
        &self,
        filter: &AuditFilter,
    ) -> Result<Vec<AuditEntry>, CliError> {
        match &self.location {
            Location::Local(local) => {
                Ok(local.engine().await?.store().audit_entries(filter).await?)
            }
            Location::Remote(api) => {
                let named = [
                    ("subject", filter.subject.clone()),
                    ("by", filter.by.as_ref().map(ToString::to_string)),
                    ("cursor", filter.before.map(|before| before.to_string())),
                ];
                api.some(
                    "audit",
                    "entries",
                    &with_value(named),
                    filter.limit.get() as usize,
                )
                .await
            }
        }
    }
}

impl LocalStore {
    /// Reads pages until the limit is reached: a short page need not be the last.
    async fn log(&self, mut filter: LogFilter) -> Result<Logged, CliError> {
        let store = self.engine().await?.store();
        let mut all = Vec::new();
        loop {
            let page = store.log(&filter).await?;
            let found = u32::try_from(page.entries.len()).unwrap_or(u32::MAX);
            let left = NonZeroU32::new(filter.limit.get().saturating_sub(found));
            all.extend(page.entries);
            let (Some(next), Some(left)) = (page.next, left) else {
                return Ok(all);
            };
            filter.before = Some(next);
            filter.limit = left;
        }
    }
}

/// Converts a filter to query parameters.
fn query(filter: &LogFilter) -> Vec<(&'static str, String)> {
    let LogFilter {
        state,
        contact,
        channel,
        gateway,
        target,
        text,
        since,
        until,
        before,
        limit: _,
    } = filter;
    let named = [
        ("state", state.map(|state| state.to_string())),
        ("contact", contact.as_ref().map(ToString::to_string)),
        ("channel", channel.as_ref().map(ToString::to_string)),
        ("gateway", gateway.as_ref().map(ToString::to_string)),
        ("target", target.as_ref().map(ToString::to_string)),
        ("text", text.clone()),
        ("since", since.map(|at| at.as_millis().to_string())),
        ("until", until.map(|at| at.as_millis().to_string())),
        ("cursor", before.map(|before| before.to_string())),
    ];
    with_value(named)
}

/// Returns the parameters that have a value.
fn with_value<const N: usize>(
    named: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    let named = named.into_iter();
    named
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
