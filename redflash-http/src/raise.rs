//! `POST /contact/{slug}`, `/group/{slug}`, `/event/{slug}`: an alert is raised.

use std::time::Duration;

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use redflash_core::{ApiKey, Content, Raise, RaiseError, Slug, Target};
use serde::Serialize;
use serde_json::Value;

use crate::alert::{self, Failed, Outcome, Told};
use crate::body::{self, Fields};
use crate::front::{App, Kind};
use crate::refusal::Refusal;
use crate::{idempotency, key};

/// An alert that is on disk, as the caller is told.
#[derive(Debug, Serialize)]
struct Answer {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(flatten)]
    told: Told,
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
    let wait = alert::wait(config, wait(&query)?);
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
    let raised = alert::raise(app, raise.with_key(&checked), wait).await;
    match raised {
        Ok(outcome) => Ok(answer(outcome, key)),
        Err(failed) => {
            let mut refusal = refusal(app, failed).await;
            if !key.inspect {
                refusal.recipients = None;
            }
            Err(refusal)
        }
    }
}

/// The refusal of a failed raise; that of a contact which is switched off has its name.
async fn refusal(app: &App, failed: Failed) -> Refusal {
    if let Failed::Refused(RaiseError::Disabled(target @ Target::Contact(slug))) = &failed
        && let Ok(Some(contact)) = app.engine.store().contact(slug).await
    {
        return Refusal::disabled(target, contact.name.as_str());
    }
    failed.into()
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

/// How long the answer is to wait for the first attempts, if the query says.
fn wait(query: &Fields) -> Result<Option<Duration>, Refusal> {
    let Some(Value::String(text)) = query.get("wait") else {
        return Ok(None);
    };
    let wrong = || {
        let message = "write wait as a length of time, such as wait=10s";
        Refusal::bad("bad_wait", message)
    };
    alert::length(text).map(Some).ok_or_else(wrong)
}

fn answer(outcome: Outcome, key: &ApiKey) -> Response {
    let is_group = matches!(outcome.raised().plan.target, Target::Group(_));
    let (status, message, code) = match outcome.sent() {
        Some((0, _)) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "recorded, and not sent yet: the log says why",
            Some("not_sent"),
        ),
        Some((sent, all)) if sent < all => (StatusCode::ACCEPTED, "OK", None),
        _ if is_group && outcome.misses_somebody() => (StatusCode::ACCEPTED, "OK", None),
        _ => (StatusCode::CREATED, "OK", None),
    };
    let told = outcome.told(key);
    let answer = Answer {
        message,
        code,
        told,
    };
    (status, Json(answer)).into_response()
}
