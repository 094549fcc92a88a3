//! `GET /api/v1/notifications/{id}`: what became of an alert.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::store::DeliveryRecord;
use redflash_core::{DeliveryState, Notification, NotificationId, Slug, Target, Timestamp, report};
use serde::Serialize;
use tracing::error;

use crate::front::App;
use crate::key;
use crate::refusal::Problem;

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
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = key::check(&app.engine, key::bearer(&headers)).await;
    let key = key.map_err(|refusal| match refusal.status {
        StatusCode::FORBIDDEN => Problem::new(
            StatusCode::UNAUTHORIZED,
            refusal.code,
            "send a valid key as Authorization: Bearer …",
        ),
        _ => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            refusal.code,
            refusal.message,
        ),
    })?;
    let unknown = || {
        let detail = "there is no such notification, or this key may not see it";
        Problem::new(StatusCode::NOT_FOUND, "unknown_notification", detail)
    };
    let id: NotificationId = id.parse().map_err(|_| unknown())?;
    let found = app.engine.store().notification(id).await.map_err(|fault| {
        error!(fault = report(&fault), "a notification could not be read");
        let detail = "the store does not answer now";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", detail)
    })?;
    let (notification, deliveries) = found.ok_or_else(unknown)?;
    if key.inspect {
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
