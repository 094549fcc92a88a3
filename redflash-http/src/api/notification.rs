//! `/api/v1/notifications`: what was raised, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use redflash_core::store::{DeliveryRecord, LogFilter};
use redflash_core::{
    Delivery, DeliveryId, DeliveryState, Engine, Notification, NotificationId, Slug, Target,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::api::Caller;
use crate::api::extract::json_body::{Input, given};
use crate::api::extract::path::NamedNotification;
use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::page::Page;
use crate::api::problem::Problem;
use crate::api::timestamp::Moment;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/notifications";
const ONE: &str = "/api/v1/notifications/{id}";
const RESEND: &str = "/api/v1/notifications/{id}/resend";
const TAG: &str = "Notifications";

/// What the log can be asked for, the place in it apart.
const FILTERS: &[&str] = &[
    "state", "contact", "channel", "gateway", "target", "text", "since", "until", "limit", "cursor",
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, ALL, Auth::ApiKey(Permission::View), list).described(
            Operation::new(
                "listNotifications",
                TAG,
                "Lists what was raised, newest first",
            )
            .asks(FILTERS)
            .gives("NotificationPage"),
        ),
        Route::new(Method::GET, ONE, Auth::ApiKey(Permission::Any), read).described(
            Operation::new(
                "readNotification",
                TAG,
                "Shows what became of an alert; to a key that may not inspect, how many of its own",
            )
            .gives("Outcome"),
        ),
        Route::new(
            Method::POST,
            RESEND,
            Auth::ApiKey(Permission::Admin),
            resend,
        )
        .described(
            Operation::new("resend", TAG, "Sends again what ended badly")
                .takes("Resend")
                .gives("Resent")
                .refuses(&[409]),
        ),
    ]
}

/// A notification in the log.
#[derive(Serialize)]
struct Logged {
    #[serde(flatten)]
    notification: Notification,
    deliveries: Vec<Delivery>,
}

/// Everything: for keys that may inspect.
#[derive(Serialize)]
struct BufferedBody {
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

/// What is to be sent again.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Resend {
    /// This delivery alone.
    #[serde(deserialize_with = "given")]
    delivery: Option<DeliveryId>,
}

/// What is sent again.
#[derive(Serialize)]
struct Resent {
    /// How many deliveries.
    resent: u64,
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Response, Problem> {
    let moment = |name: &str| Ok::<_, Problem>(query.read::<Moment>(name)?.map(Moment::at));
    let filter = LogFilter {
        state: query.read("state")?,
        contact: query.read("contact")?,
        channel: query.read("channel")?,
        gateway: query.read("gateway")?,
        target: query.read("target")?,
        text: query.text("text").map(str::to_owned),
        since: moment("since")?,
        until: moment("until")?,
        before: query.read("cursor")?,
        limit: query.limit()?,
    };
    let found = app.engine.store().log(&filter).await?;
    let logged = |(notification, deliveries)| Logged {
        notification,
        deliveries,
    };
    let page = Page {
        name: "notifications",
        items: found.entries.into_iter().map(logged).collect(),
        next: found.next.map(|id| id.to_string()),
    };
    Ok(page.into_response())
}

async fn find(
    engine: &Engine,
    id: NotificationId,
) -> Result<(Notification, Vec<DeliveryRecord>), Problem> {
    let found = engine.store().notification(id).await?;
    found.ok_or_else(Problem::unknown_notification)
}

async fn read(
    State(app): State<Arc<App>>,
    NamedNotification(id): NamedNotification,
    Caller { key }: Caller,
) -> Result<Response, Problem> {
    let (notification, deliveries) = find(&app.engine, id).await?;
    if key.inspect || key.admin {
        let whole = BufferedBody {
            notification,
            deliveries,
        };
        return Ok(Json(whole).into_response());
    }
    if notification.raised_by.as_ref() != Some(&key.slug) {
        return Err(Problem::unknown_notification());
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

async fn resend(
    State(app): State<Arc<App>>,
    NamedNotification(id): NamedNotification,
    caller: Caller,
    Input(wanted): Input<Resend>,
) -> Result<Json<Resent>, Problem> {
    let (_, deliveries) = find(&app.engine, id).await?;
    let only = wanted.delivery;
    let is_ours = |only| deliveries.iter().any(|record| record.delivery.id == only);
    if let Some(foreign) = only.filter(|only| !is_ours(*only)) {
        let message = format!("the notification {id} has no delivery {foreign}");
        return Err(Problem::unknown_reference("delivery", message));
    }
    let resent = app.engine.resend(id, only, &caller.actor()).await?;
    Ok(Json(Resent { resent }))
}
