//! `GET /api/v1/notifications/{id}`: what became of an alert.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use redflash_core::store::DeliveryRecord;
use redflash_core::{DeliveryState, Notification, NotificationId, Slug, Target, Timestamp};
use serde::Serialize;

use super::Caller;
use crate::front::App;
use crate::problem::Problem;

/// Everything: for keys that may inspect.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    notification: Notification,
    deliveries: Vec<DeliveryRecord>,
}

/// How it went, without names and addresses: for the key that raised it.
#[derive(Serialize)]
struct Summary {
    id: NotificationId,
    raised_at: Timestamp,
    raised_by: Option<Slug>,
    target: Target,
    queued: usize,
    skipped: usize,
    /// How many deliveries stand in each state.
    states: BTreeMap<DeliveryState, usize>,
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Caller { key }: Caller,
) -> Result<Response, Problem> {
    let unknown = || {
        let detail = "there is no such notification, or this key may not see it";
        Problem::new(StatusCode::NOT_FOUND, "unknown_notification", detail)
    };
    let id: NotificationId = id.parse().map_err(|_| unknown())?;
    let found = app.engine.store().notification(id).await?;
    let (notification, deliveries) = found.ok_or_else(unknown)?;
    if key.inspect || key.admin {
        let whole = Whole {
            notification,
            deliveries,
        };
        return Ok(Json(whole).into_response());
    }
    if notification.raised_by.as_ref() != Some(&key.slug) {
        return Err(unknown());
    }
    Ok(Json(summary(notification, &deliveries)).into_response())
}

fn summary(notification: Notification, deliveries: &[DeliveryRecord]) -> Summary {
    let mut states = BTreeMap::new();
    for record in deliveries {
        *states.entry(record.delivery.state).or_default() += 1;
    }
    Summary {
        id: notification.id,
        raised_at: notification.raised_at,
        raised_by: notification.raised_by,
        queued: notification.plan.queued(),
        skipped: notification.plan.skipped(),
        target: notification.plan.target,
        states,
    }
}
