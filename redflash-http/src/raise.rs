//! `POST /contact/{slug}`, `/group/{slug}`, `/event/{slug}`: an alert is raised.

use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use redflash_core::store::DeliveryRecord;
use redflash_core::{
    ApiKey, Content, DeliveryState, NotificationId, Raise, Raised, Recipient, Slug, StoreError,
    Target,
};
use serde::Serialize;
use serde_json::Value;
use tracing::error;

use crate::body::{self, Fields};
use crate::front::{App, Kind};
use crate::refusal::Refusal;
use crate::{Mode, idempotency, key};

/// An alert that is on disk, as the caller is told.
#[derive(Debug, Serialize)]
struct Told {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    notification_id: NotificationId,
    queued: usize,
    skipped: usize,
    /// After a wait: how many deliveries a gateway has taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<usize>,
    /// For keys that may inspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<Vec<Recipient>>,
}

pub(crate) async fn raise(
    app: &App,
    kind: Kind,
    slug: &str,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let config = &app.config;
    let whole = body::read(&parts.headers, body, config.max_body, config.body_timeout).await?;
    let mut fields = body::fields(&parts.headers, whole).await?;
    let mut query = body::query(parts.uri.query())?;
    let secret = key::take(&mut fields, &mut query, &parts.headers);
    let target = slug.parse().map(|slug: Slug| kind.target(slug));
    let checked = key::check_to_raise(&app.engine, secret, target.as_ref().ok()).await?;
    let key = &checked.key;
    let wait = wait(app, &query)?;
    let target = target.map_err(|_| Refusal::unknown(kind.name(), slug))?;
    if !key.may_raise(&target) {
        let message = format!("The key {} may not raise {target}", key.slug);
        return Err(Refusal::not_allowed(message));
    }
    app.limit(key)?;
    app.used(key);
    let content = content(kind, fields)?;
    let promise = idempotency::read(&parts.headers, &target, &content)?;
    let mut raise = match (target, content) {
        (Target::Contact(slug), Content::Message(text)) => Raise::contact(slug, text),
        (Target::Group(slug), Content::Message(text)) => Raise::group(slug, text),
        (target, Content::Arguments(arguments)) => Raise::event(target.slug().clone(), arguments),
        (Target::Event(_), Content::Message(_)) => unreachable!("an event has arguments"),
    };
    raise.idempotency = promise;
    let raised = commit(app, raise.with_key(&checked), key).await?;
    let records = match wait {
        None => None,
        Some(limit) => Some(
            app.engine
                .wait(raised.notification, limit)
                .await
                .map_err(|fault| lost_sight(raised.notification, &fault))?,
        ),
    };
    Ok(answer(raised, records.as_deref(), key))
}

/// Raises on a task of its own: a client that goes away must not stop it half-way.
async fn commit(app: &App, raise: Raise, key: &ApiKey) -> Result<Raised, Refusal> {
    let engine = app.engine.clone();
    let raised = tokio::spawn(async move { engine.raise(raise).await }).await;
    let raised = raised.map_err(|fault| {
        error!(%fault, "raising an alert failed");
        Refusal::bad(
            "internal",
            "something is broken here; the server's log has more",
        )
    })?;
    raised.map_err(|fault| {
        if let redflash_core::RaiseError::Store { source, .. } = &fault {
            error!(
                fault = redflash_core::report(source),
                "an alert was not recorded"
            );
        }
        let mut refusal = Refusal::from(fault);
        if !key.inspect {
            refusal.recipients = None;
        }
        refusal
    })
}

fn content(kind: Kind, mut fields: Fields) -> Result<Content, Refusal> {
    if kind == Kind::Event {
        return Ok(Content::Arguments(fields));
    }
    match fields.remove("message") {
        Some(Value::String(text)) => Ok(Content::Message(text)),
        None | Some(Value::Null) => Ok(Content::Message(String::new())),
        Some(plain @ (Value::Bool(_) | Value::Number(_))) => {
            Ok(Content::Message(plain.to_string()))
        }
        Some(Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::bad("bad_message", "the message must be a text"))
        }
    }
}

/// How long the answer waits for the first attempts; `None` for not at all.
fn wait(app: &App, query: &Fields) -> Result<Option<Duration>, Refusal> {
    let Some(Value::String(text)) = query.get("wait") else {
        let ordinary = (app.config.mode == Mode::Sync).then_some(app.config.sync_wait);
        return Ok(ordinary);
    };
    let parsed = text.parse::<SignedDuration>().ok();
    let parsed = parsed.and_then(|wait| Duration::try_from(wait).ok());
    match parsed {
        Some(wait) if wait.is_zero() => Ok(None),
        Some(wait) => Ok(Some(wait.min(app.config.max_wait))),
        None => Err(Refusal::bad(
            "bad_wait",
            "write wait as a length of time, such as wait=10s",
        )),
    }
}

/// The alert is on disk, and what became of it cannot be said.
fn lost_sight(id: NotificationId, fault: &StoreError) -> Refusal {
    error!(notification = %id, fault = redflash_core::report(fault), "lost sight of an alert");
    let message = "the alert is recorded; what became of it cannot be said now";
    Refusal {
        notification: Some(id),
        ..Refusal::bad("outcome_unknown", message)
    }
}

fn answer(raised: Raised, records: Option<&[DeliveryRecord]>, key: &ApiKey) -> Response {
    let plan = raised.plan;
    let missed = matches!(plan.target, Target::Group(_)) && plan.unreached().next().is_some();
    let mut told = Told {
        message: "OK",
        code: None,
        notification_id: raised.notification,
        queued: plan.queued(),
        skipped: plan.skipped(),
        sent: None,
        recipients: None,
    };
    let mut status = if missed {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CREATED
    };
    if let Some(records) = records {
        let taken = |record: &&DeliveryRecord| {
            matches!(
                record.delivery.state,
                DeliveryState::Sent | DeliveryState::Delivered
            )
        };
        let sent = records.iter().filter(taken).count();
        told.sent = Some(sent);
        if sent == 0 {
            status = StatusCode::INTERNAL_SERVER_ERROR;
            told.message = "recorded, and not sent yet: the log says why";
            told.code = Some("not_sent");
        } else if sent < records.len() {
            status = StatusCode::ACCEPTED;
        }
    }
    if key.inspect {
        told.recipients = Some(plan.recipients);
    }
    (status, Json(told)).into_response()
}
