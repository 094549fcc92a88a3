//! `POST /contact/{slug}`, `/group/{slug}`, `/event/{slug}`: an alert is raised.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::{ApiKey, CheckedKey, Raise, RaiseError, Slug, Target};
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

/// An alert that is on disk, as the caller is told.
#[derive(Debug, Serialize)]
struct Answer {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(flatten)]
    told: RaiseResponse,
}

/// The contents of a request.
struct Received {
    fields: Fields,
    query: Fields,
    checked: CheckedKey,
    /// Of the body, until the alert is recorded.
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
    let received = received.map_err(|refusal| refusal.at(known_target))?;
    let key = received.checked.key.clone();
    let refused = |refusal: LegacyError| refusal.at(known_target).by(&key);
    let Ok(target) = target.clone() else {
        return Err(refused(LegacyError::unknown(kind.name(), slug)));
    };
    let raised = record(app, target, &parts.headers, received).await;
    raised.map_err(refused)
}

/// Reads a request, and judges its key: before the size of the body, if the key is known by then.
async fn receive(
    app: &App,
    parts: &Parts,
    body: Body,
    target: Option<&Target>,
) -> Result<Received, LegacyError> {
    let mut query = body::query(parts.uri.query())?;
    let outside = match api_key::outside(&mut query, &parts.headers) {
        Some(secret) => Some(
            api_key::check_to_raise(&app.engine, secret, target)
                .await
                .map_err(LegacyError::from),
        ),
        None => None,
    };
    let known = outside.as_ref().and_then(|checked| checked.as_ref().ok());
    let by = known.map(|checked| checked.key.clone());
    if by.is_some() {
        connection_slots::keep(&parts.extensions);
    }
    let (mut fields, memory) = match read(app, parts, body, by.is_some()).await {
        Ok(read) => read,
        Err(refusal) => {
            let judged_before = outside.and_then(Result::err);
            let refusal = judged_before.unwrap_or(refusal);
            return Err(match &by {
                Some(key) => refusal.by(key),
                None => refusal,
            });
        }
    };
    let checked = match (api_key::take(&mut fields), outside) {
        (Some(secret), _) => api_key::check_to_raise(&app.engine, secret, target).await?,
        (None, Some(outside)) => outside?,
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

/// Judges what a key that is known wants, and records it.
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
    let raise = match target {
        Target::Contact(slug) => Raise::contact(slug, message(fields)?),
        Target::Group(slug) => Raise::group(slug, message(fields)?),
        Target::Event(slug) => Raise::event(slug, fields),
    };
    let promise = idempotency::read_key(headers)?;
    match alert::raise(app, key, raise.with_key(&checked), promise, wait).await {
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
async fn refusal(app: &App, failed: RaiseFailure) -> LegacyError {
    if let RaiseFailure::Refused(RaiseError::Disabled(target @ Target::Contact(slug))) = &failed
        && let Ok(Some(contact)) = app.engine.store().contact(slug).await
    {
        return LegacyError::disabled(target, contact.name.as_str());
    }
    failed.into()
}

fn message(mut fields: Fields) -> Result<String, LegacyError> {
    match fields.remove("message") {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Ok(String::new()),
        Some(plain @ (Value::Bool(_) | Value::Number(_))) => Ok(plain.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => Err(LegacyError::bad(
            "bad_message",
            "the message must be a text",
        )),
    }
}

/// How long the answer is to wait for the first attempts, if the query says.
fn wait(query: &Fields) -> Result<Option<Duration>, LegacyError> {
    let Some(Value::String(text)) = query.get("wait") else {
        return Ok(None);
    };
    let wrong = || {
        let message = "write wait as a length of time, such as wait=10s";
        LegacyError::bad("bad_wait", message)
    };
    alert::parse_duration(text).map(Some).ok_or_else(wrong)
}

fn answer(outcome: RaiseOutcome, key: &ApiKey) -> Response {
    let is_group = matches!(outcome.raised().plan.target, Target::Group(_));
    let (status, message, code) = match outcome.sent() {
        Some((0, _)) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "recorded, and not sent yet: the log says why",
            Some("not_sent"),
        ),
        Some((sent, all)) if sent < all => (StatusCode::ACCEPTED, "OK", None),
        _ if is_group && outcome.has_unreached() => (StatusCode::ACCEPTED, "OK", None),
        _ => (StatusCode::CREATED, "OK", None),
    };
    let told = outcome.into_response(key);
    let answer = Answer {
        message,
        code,
        told,
    };
    (status, Json(answer)).into_response()
}
