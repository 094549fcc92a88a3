//! Notifications as the API shows them.

use std::collections::BTreeMap;

use redflash_core::clock::Timestamp;
use redflash_core::delivery::DeliveryState;
use redflash_core::model::{DeliveryId, NotificationId, Slug, Target};
use redflash_core::store::DeliveryRecord;
use redflash_core::template::Arguments;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::extract::json_body::Optional;
use crate::api::notification::delivery::{Delivery, DeliveryWithAttempts};
use crate::api::openapi::value;
use crate::api::page::Listed;
use crate::api::plan::Plan;

/// The fields of a notification apart from its deliveries.
#[derive(Debug, Serialize, JsonSchema)]
struct NotificationFields {
    #[schemars(with = "value::Id")]
    id: NotificationId,
    #[schemars(with = "value::Time")]
    raised_at: Timestamp,
    /// Key that raised the alert; null for a manual raise.
    #[schemars(with = "Option<value::Slug>")]
    raised_by: Option<Slug>,
    plan: Plan,
    /// Arguments of the event. Absent for messages, and if their JSON exceeds 64 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Arguments")]
    arguments: Option<Arguments>,
}

/// A raised alert with its deliveries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Notification {
    #[serde(flatten)]
    notification: NotificationFields,
    deliveries: Vec<Delivery>,
}

/// A notification: all of it, or a summary for keys without the `inspect` permission.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum NotificationDetails {
    Record(Box<NotificationRecord>),
    Summary(NotificationSummary),
}

/// A raised alert with every attempt of its deliveries, for keys with the `inspect` permission.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct NotificationRecord {
    #[serde(flatten)]
    notification: NotificationFields,
    deliveries: Vec<DeliveryWithAttempts>,
}

/// Progress of an alert without names and addresses, for the key that raised it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct NotificationSummary {
    #[schemars(with = "value::Id")]
    id: NotificationId,
    #[schemars(with = "value::Time")]
    raised_at: Timestamp,
    #[schemars(with = "value::Slug")]
    raised_by: Option<Slug>,
    #[schemars(with = "value::Target")]
    target: Target,
    /// Number of deliveries.
    queued: usize,
    /// Number of skipped endpoints.
    skipped: usize,
    #[schemars(with = "value::States")]
    states: BTreeMap<DeliveryState, usize>,
}

/// Deliveries to resend.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Resend {
    /// The only delivery to resend; all failed ones if absent.
    #[schemars(with = "value::Id")]
    pub(super) delivery: Optional<DeliveryId>,
}

/// Number of resent deliveries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Resent {
    /// Number of deliveries that are sent again.
    pub(super) resent: u64,
}

impl Listed for Notification {
    const LIST: &'static str = "notifications";
    const PAGE: &'static str = "NotificationPage";
    const DESCRIPTION: &'static str = "One page of notifications. It may be empty although there is a next \
                                       page, since a request searches a bounded part of the log.";
}

impl From<redflash_core::plan::Notification> for NotificationFields {
    fn from(notification: redflash_core::plan::Notification) -> Self {
        Self {
            id: notification.id,
            raised_at: notification.raised_at,
            raised_by: notification.raised_by,
            plan: notification.plan.into(),
            arguments: notification.arguments,
        }
    }
}

impl Notification {
    pub(super) fn new(
        notification: redflash_core::plan::Notification,
        deliveries: Vec<redflash_core::delivery::Delivery>,
    ) -> Self {
        Self {
            notification: notification.into(),
            deliveries: deliveries.into_iter().map(Into::into).collect(),
        }
    }
}

impl NotificationRecord {
    pub(super) fn new(
        notification: redflash_core::plan::Notification,
        deliveries: Vec<DeliveryRecord>,
    ) -> Self {
        Self {
            notification: notification.into(),
            deliveries: deliveries.into_iter().map(Into::into).collect(),
        }
    }
}

impl NotificationSummary {
    pub(super) fn new(
        notification: redflash_core::plan::Notification,
        deliveries: &[DeliveryRecord],
    ) -> Self {
        let mut states = BTreeMap::new();
        for record in deliveries {
            *states.entry(record.delivery.state).or_default() += 1;
        }
        Self {
            id: notification.id,
            raised_at: notification.raised_at,
            raised_by: notification.raised_by,
            queued: notification.plan.queued(),
            skipped: notification.plan.skipped(),
            target: notification.plan.target,
            states,
        }
    }
}
