//! `POST /contact/{slug}`, `/group/{slug}`, `/event/{slug}`: raises an alert.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::engine::RaiseError;
use redflash_core::message::{Content, Raise};
use redflash_core::model::{ApiKey, CheckedKey, Slug, Target};
use serde::Serialize;
use serde_json::Value;

use crate::alert;
use crate::alert::{RaiseOutcome, RaiseResponse};
use crate::app::App;
use crate::auth::api_key;
use crate::error::{RaiseFailure, RequestError};
use crate::extract::body;
use crate::extract::body::{BufferedBody, Fields};
use crate::extract::body_memory::Reservation;
use crate::extract::idempotency;
use crate::legacy::error::LegacyError;
use crate::legacy::target_kind::TargetKind;
use crate::server::connection_slots;

/// The response to a raise.
#[derive(Debug, Serialize)]
struct RaiseBody {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(flatten)]
    response: RaiseResponse,
}

/// The contents of a request.
struct Received {
    fields: Fields,
    query: Fields,
    checked: CheckedKey,
    /// The memory of the body, held until the alert is recorded.
    memory: Reservation,
}

pub(crate) async fn raise(
    app: &App,
    kind: TargetKind,
    slug: &str,
    request: Request,
) -> Result<Response, LegacyError> {
    let (parts, body) = request.into_parts();
    let target = slug.parse().map(|slug: Slug| kind.target(slug));
    let known_target = target.as_ref().ok();
    let received = receive(app, &parts, body, known_target).await;
    let received = received.map_err(|error| error.with_target(known_target))?;
    let key = received.checked.key.clone();
    let in_context = |error: LegacyError| error.with_target(known_target).with_key(&key);
    let Ok(target) = target.clone() else {
        return Err(in_context(LegacyError::unknown(kind.name(), slug)));
    };
    let raised = record(app, target, &parts.headers, received).await;
    raised.map_err(in_context)
}

/// Reads a request and checks its key: before the size of the body, if the key is known by then.
async fn receive(
    app: &App,
    parts: &Parts,
    body: Body,
    target: Option<&Target>,
) -> Result<Received, LegacyError> {
    let mut query = body::query(parts.uri.query())?;
    let early = match api_key::before_body(&mut query, &parts.headers) {
        Some(secret) => Some(
            api_key::check_to_raise(&app.engine, secret, target)
                .await
                .map_err(LegacyError::from),
        ),
        None => None,
    };
    let known = early.as_ref().and_then(|checked| checked.as_ref().ok());
    let by = known.map(|checked| checked.key.clone());
    if by.is_some() {
        connection_slots::keep(&parts.extensions);
    }
    let (mut fields, memory) = match read(app, parts, body, by.is_some()).await {
        Ok(read) => read,
        Err(error) => {
            let early_error = early.and_then(Result::err);
            let error = early_error.unwrap_or(error);
            return Err(match &by {
                Some(key) => error.with_key(key),
                None => error,
            });
        }
    };
    let checked = match (api_key::take(&mut fields), early) {
        (Some(secret), _) => api_key::check_to_raise(&app.engine, secret, target).await?,
        (None, Some(early)) => early?,
        (None, None) => return Err(RequestError::missing_key().into()),
    };
    Ok(Received {
        fields,
        query,
        checked,
        memory,
    })
}

async fn read(
    app: &App,
    parts: &Parts,
    body: Body,
    is_known: bool,
) -> Result<(Fields, Reservation), LegacyError> {
    let BufferedBody { bytes, memory } =
        body::read(&parts.headers, body, app.body_limits(is_known)).await?;
    Ok((body::parse_fields(&parts.headers, bytes).await?, memory))
}

/// Checks the permission of a valid key, and records the alert.
async fn record(
    app: &App,
    target: Target,
    headers: &HeaderMap,
    received: Received,
) -> Result<Response, LegacyError> {
    let Received {
        fields,
        query,
        checked,
        memory: _memory,
    } = received;
    let key = &checked.key;
    let wait = alert::wait_limit(&app.config, wait(&query)?);
    if !key.may_raise(&target) {
        let detail = format!("The key {} may not raise {target}", key.slug);
        return Err(LegacyError::not_allowed(detail));
    }
    app.note_use(key);
    let content = match target {
        Target::Contact(_) | Target::Group(_) => Content::Message(message(fields)?),
        Target::Event(_) => Content::Arguments(fields),
    };
    let raise = Raise::new(target, content);
    let idempotency_key = idempotency::read_key(headers)?;
    match alert::raise(app, key, raise.with_key(&checked), idempotency_key, wait).await {
        Ok(outcome) => Ok(respond(outcome, key)),
        Err(raise_failure) => {
            let mut error = failure(app, raise_failure).await;
            if !key.inspect {
                error.recipients = None;
            }
            Err(error)
        }
    }
}

/// Returns the error of a failed raise. That of a disabled contact has its name.
async fn failure(app: &App, failure: RaiseFailure) -> LegacyError {
    if let RaiseFailure::Refused(RaiseError::Disabled(target @ Target::Contact(slug))) = &failure
        && let Ok(Some(contact)) = app.engine.store().contact(slug).await
    {
        return LegacyError::disabled(target, contact.name.as_str());
    }
    failure.into()
}

fn message(mut fields: Fields) -> Result<String, LegacyError> {
    match fields.remove("message") {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Ok(String::new()),
        Some(plain @ (Value::Bool(_) | Value::Number(_))) => Ok(plain.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => Err(LegacyError::bad(
            "bad_message",
            "the message must be a string",
        )),
    }
}

/// Returns the wait for the first attempts that the query asks for.
fn wait(query: &Fields) -> Result<Option<Duration>, LegacyError> {
    let Some(Value::String(text)) = query.get("wait") else {
        return Ok(None);
    };
    let wrong = || {
        let message = "wait must be a duration, such as wait=10s";
        LegacyError::bad("bad_wait", message)
    };
    alert::parse_duration(text).map(Some).ok_or_else(wrong)
}

fn respond(outcome: RaiseOutcome, key: &ApiKey) -> Response {
    let is_group = matches!(outcome.raised().plan.target, Target::Group(_));
    let (status, message, code) = match outcome.sent() {
        Some((0, _)) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "recorded, but not sent yet: see the log for the reason",
            Some("not_sent"),
        ),
        Some((sent, all)) if sent < all => (StatusCode::ACCEPTED, "OK", None),
        _ if is_group && outcome.has_unreached() => (StatusCode::ACCEPTED, "OK", None),
        _ => (StatusCode::CREATED, "OK", None),
    };
    let response = outcome.into_response(key);
    let body = RaiseBody {
        message,
        code,
        response,
    };
    (status, Json(body)).into_response()
}
