//! `/ack/{gateway}/{secret}`: receipts that gateways send. `/inbound…` is answered, and read by
//! nobody yet.
//!
//! A callback is believed when its path holds the gateway's secret; gateways without one get no
//! callbacks. What is not believed is answered like what is, so that a guess learns nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use redflash_core::{Callback, ReceiptError, Slug, report};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq;
use tracing::{error, warn};

use crate::body::{self, Fields};
use crate::front::App;

/// The largest callback, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// How long a gateway may take to send one.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers what is not believed, or not asked for.
pub(crate) async fn ignore() -> StatusCode {
    StatusCode::OK
}

pub(crate) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path((gateway, secret)): Path<(String, String)>,
    request: Request,
) -> StatusCode {
    let Some(gateway) = believed(&app, &gateway, &secret) else {
        warn!("a callback without the secret of a gateway");
        return StatusCode::OK;
    };
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return StatusCode::OK;
    }
    match receive(&app, &gateway, request).await {
        Ok(()) => StatusCode::OK,
        Err(status) => status,
    }
}

/// The gateway whose secret this is. Takes the same time for every wrong secret.
fn believed(app: &App, gateway: &str, secret: &str) -> Option<Slug> {
    let gateway: Slug = gateway.parse().ok()?;
    let secrets = app.config.callback_secrets.get(&gateway)?;
    let equal = |live: &SecretString| {
        let live = live.expose_secret().as_bytes();
        bool::from(live.ct_eq(secret.as_bytes()))
    };
    secrets.iter().any(equal).then_some(gateway)
}

async fn receive(app: &App, gateway: &Slug, request: Request) -> Result<(), StatusCode> {
    let (parts, body) = request.into_parts();
    let whole = body::read(&parts.headers, body, MAX_BODY, BODY_TIMEOUT).await;
    let whole = whole.map_err(|refusal| match refusal.code {
        "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    })?;
    let mut fields = flat(body::query(parts.uri.query()).unwrap_or_default());
    if !whole.is_empty() {
        // What cannot be read says nothing, and a gateway that repeats it helps nobody.
        let in_body = body::fields(&parts.headers, whole.clone()).await;
        fields.extend(flat(in_body.unwrap_or_default()));
    }
    let headers = headers(&parts.headers);
    let url = parts.uri.to_string();
    let callback = Callback {
        method: parts.method.as_str(),
        url: &url,
        fields: &fields,
        headers: &headers,
        body: &whole,
    };
    match app.engine.record_receipts(gateway, &callback).await {
        Ok(_) => Ok(()),
        Err(ReceiptError::Store(fault)) => {
            error!(%gateway, fault = report(&fault), "a receipt was not recorded");
            // So that the gateway reports again.
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(fault) => {
            warn!(%gateway, fault = report(&fault), "a callback that is no receipt");
            Ok(())
        }
    }
}

fn flat(fields: Fields) -> Vec<(String, String)> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
        .collect()
}
