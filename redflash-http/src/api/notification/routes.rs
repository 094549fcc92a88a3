//! `/api/v1/notifications`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use redflash_core::Engine;
use redflash_core::model::NotificationId;
use redflash_core::store::{DeliveryRecord, LogFilter};

use crate::api::caller::Caller;
use crate::api::extract::json_body::Input;
use crate::api::extract::path::NamedNotification;
use crate::api::extract::query::Query;
use crate::api::notification::dto::{
    Notification, NotificationDetails, NotificationRecord, NotificationSummary, Resend, Resent,
};
use crate::api::openapi::operation::Operation;
use crate::api::page::Page;
use crate::api::problem::Problem;
use crate::api::timestamp::TimeParameter;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/notifications";
const ONE: &str = "/api/v1/notifications/{id}";
const RESEND: &str = "/api/v1/notifications/{id}/resend";
const TAG: &str = "Notifications";

/// Filters of the log, and its pagination.
const FILTERS: &[&str] = &[
    "state", "contact", "channel", "gateway", "target", "text", "since", "until", "limit", "cursor",
];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, ALL, Auth::ApiKey(Permission::View), list).described(
            Operation::new("listNotifications", TAG, "List notifications, newest first")
                .parameters(FILTERS)
                .ok::<Page<Notification>>(),
        ),
        Route::new(Method::GET, ONE, Auth::ApiKey(Permission::Any), read).described(
            Operation::new(
                "readNotification",
                TAG,
                "Get a notification, or a summary of one that this key raised",
            )
            .ok::<NotificationDetails>(),
        ),
        Route::new(
            Method::POST,
            RESEND,
            Auth::ApiKey(Permission::Admin),
            resend,
        )
        .described(
            Operation::new("resend", TAG, "Resend failed deliveries")
                .body::<Resend>()
                .ok::<Resent>()
                .errors(&[409]),
        ),
    ]
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Page<Notification>, Problem> {
    let time = |name| Ok::<_, Problem>(query.read(name)?.map(TimeParameter::at));
    let filter = LogFilter {
        state: query.read("state")?,
        contact: query.read("contact")?,
        channel: query.read("channel")?,
        gateway: query.read("gateway")?,
        target: query.read("target")?,
        text: query.text("text").map(str::to_owned),
        since: time("since")?,
        until: time("until")?,
        before: query.read("cursor")?,
        limit: query.limit()?,
    };
    let found = app.engine.store().log(&filter).await?;
    let entries = found.entries.into_iter();
    let item = |(notification, deliveries)| Notification::new(notification, deliveries);
    Ok(Page {
        items: entries.map(item).collect(),
        next: found.next.map(|id| id.to_string()),
    })
}

async fn find(
    engine: &Engine,
    id: NotificationId,
) -> Result<(redflash_core::plan::Notification, Vec<DeliveryRecord>), Problem> {
    let found = engine.store().notification(id).await?;
    found.ok_or_else(Problem::unknown_notification)
}

async fn read(
    State(app): State<Arc<App>>,
    NamedNotification(id): NamedNotification,
    Caller { key }: Caller,
) -> Result<Json<NotificationDetails>, Problem> {
    let (notification, deliveries) = find(&app.engine, id).await?;
    if key.inspect || key.admin {
        let record = NotificationRecord::new(notification, deliveries);
        return Ok(Json(NotificationDetails::Record(Box::new(record))));
    }
    if notification.raised_by.as_ref() != Some(&key.slug) {
        return Err(Problem::unknown_notification());
    }
    let summary = NotificationSummary::new(notification, &deliveries);
    Ok(Json(NotificationDetails::Summary(summary)))
}

async fn resend(
    State(app): State<Arc<App>>,
    NamedNotification(id): NamedNotification,
    caller: Caller,
    Input(body): Input<Resend>,
) -> Result<Json<Resent>, Problem> {
    let (_, deliveries) = find(&app.engine, id).await?;
    let only = body.delivery.0;
    let is_ours = |only| deliveries.iter().any(|record| record.delivery.id == only);
    if let Some(foreign) = only.filter(|only| !is_ours(*only)) {
        let message = format!("the notification {id} has no delivery {foreign}");
        return Err(Problem::unknown_reference("delivery", message));
    }
    let resent = app.engine.resend(id, only, &caller.actor()).await?;
    Ok(Json(Resent { resent }))
}
