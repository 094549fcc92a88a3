//! Rows of notifications.

use std::sync::Arc;

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Delivery;
use redflash_core::message::{Idempotency, Message};
use redflash_core::model::{Slug, Target};
use redflash_core::plan::Notification;
use redflash_core::store::{Enqueue, EnqueueMore, OutboxEntry};
use redflash_core::template::Arguments;
use serde_json::Value;

use super::delivery::DeliveryRow;
use super::{owner, parse, parse_some};
use crate::error::QueryError;
use crate::schema::{idempotency, notifications};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = notifications, treat_none_as_default_value = false)]
pub(crate) struct NotificationRow {
    pub(crate) id: String,
    pub(crate) raised_at: i64,
    pub(crate) raised_by: Option<String>,
    pub(crate) plan: String,
    pub(crate) arguments: Option<String>,
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = idempotency, primary_key(raised_by, key))]
pub(crate) struct IdempotencyRow {
    pub(crate) raised_by: String,
    pub(crate) key: String,
    pub(crate) digest: String,
    pub(crate) notification: String,
    pub(crate) raised_at: i64,
}

/// The rows of a new notification.
#[derive(Debug)]
pub(crate) struct NewRows {
    pub(crate) notification: NotificationRow,
    /// The directory's version that it was planned from.
    pub(crate) planned_at: Option<i64>,
    pub(crate) deliveries: Vec<DeliveryRow>,
    /// Number of deliveries that come later.
    pub(crate) unqueued: u32,
    pub(crate) idempotency: Option<IdempotencyRow>,
}

/// The rows of the next deliveries of a notification.
#[derive(Debug)]
pub(crate) struct MoreRows {
    pub(crate) notification: String,
    pub(crate) deliveries: Vec<DeliveryRow>,
    /// Number of deliveries that were not recorded before these.
    pub(crate) before: u32,
    /// Number of deliveries that come later.
    pub(crate) unqueued: u32,
}

impl NewRows {
    pub(crate) fn of(order: &Enqueue<'_>) -> Self {
        let notification = order.notification;
        let delivery = |delivery: &Delivery| {
            let raised_by = notification.raised_by.clone();
            DeliveryRow::new(&OutboxEntry::new(delivery.clone(), raised_by, order.lease))
        };
        Self {
            notification: NotificationRow::new(notification),
            planned_at: order.planned_at.map(u64::cast_signed),
            deliveries: order.deliveries.iter().map(delivery).collect(),
            unqueued: order.unqueued,
            idempotency: order
                .idempotency
                .map(|promise| IdempotencyRow::new(notification, promise)),
        }
    }
}

impl MoreRows {
    pub(crate) fn of(order: &EnqueueMore<'_>) -> Self {
        let delivery = |delivery: &Delivery| {
            let raised_by = order.raised_by.cloned();
            DeliveryRow::new(&OutboxEntry::new(delivery.clone(), raised_by, None))
        };
        Self {
            notification: order.notification.to_string(),
            deliveries: order.deliveries.iter().map(delivery).collect(),
            before: order.unqueued_before(),
            unqueued: order.unqueued,
        }
    }
}

/// The parts of a notification that handing over a delivery needs.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) target: Target,
    pub(crate) message: Arc<Message>,
    pub(crate) raised_at: Timestamp,
    pub(crate) arguments: Option<Arc<Arguments>>,
}

/// The part of a plan that does not grow with the number of its recipients.
#[derive(serde::Deserialize)]
struct PlanHead {
    target: Target,
    message: Message,
}

impl IdempotencyRow {
    /// A promise that is looked up, for no notification yet.
    pub(crate) fn wanted(raised_by: Option<&Slug>, promise: &Idempotency, now: Timestamp) -> Self {
        Self {
            raised_by: owner(raised_by),
            key: promise.key.clone(),
            digest: promise.digest.clone(),
            notification: String::new(),
            raised_at: now.as_millis(),
        }
    }

    pub(crate) fn new(notification: &Notification, promise: &Idempotency) -> Self {
        Self {
            raised_by: owner(notification.raised_by.as_ref()),
            key: promise.key.clone(),
            digest: promise.digest.clone(),
            notification: notification.id.to_string(),
            raised_at: notification.raised_at.as_millis(),
        }
    }
}

impl NotificationRow {
    pub(crate) fn new(notification: &Notification) -> Self {
        let arguments = notification.arguments.as_ref();
        Self {
            id: notification.id.to_string(),
            raised_at: notification.raised_at.as_millis(),
            raised_by: notification.raised_by.as_ref().map(ToString::to_string),
            plan: serde_json::to_string(&notification.plan).unwrap_or_default(),
            arguments: arguments.map(|arguments| Value::Object(arguments.clone()).to_string()),
        }
    }

    fn arguments(&self) -> Result<Option<Arguments>, QueryError> {
        let parsed = self.arguments.as_deref().map(serde_json::from_str);
        let inconsistent = |_| QueryError::inconsistent("notifications", "arguments", &self.id);
        parsed.transpose().map_err(inconsistent)
    }

    pub(crate) fn into_head(self) -> Result<Head, QueryError> {
        let plan: Result<PlanHead, _> = serde_json::from_str(&self.plan);
        let plan = plan.map_err(|_| QueryError::inconsistent("notifications", "plan", &self.id))?;
        Ok(Head {
            arguments: self.arguments()?.map(Arc::new),
            target: plan.target,
            message: Arc::new(plan.message),
            raised_at: Timestamp::from_millis(self.raised_at),
        })
    }

    pub(crate) fn into_notification(self) -> Result<Notification, QueryError> {
        let plan = serde_json::from_str(&self.plan);
        Ok(Notification {
            arguments: self.arguments()?,
            id: parse(&self.id, "notifications", "id", &self.id)?,
            raised_at: Timestamp::from_millis(self.raised_at),
            raised_by: parse_some(
                self.raised_by.as_deref(),
                "notifications",
                "raised_by",
                &self.id,
            )?,
            plan: plan.map_err(|_| QueryError::inconsistent("notifications", "plan", &self.id))?,
        })
    }
}
