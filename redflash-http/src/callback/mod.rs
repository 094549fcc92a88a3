//! `/ack…` and `/inbound…`: delivery receipts and inbound messages from gateways.
//!
//! A callback is accepted if the vendor's signature is valid, or, for gateways without signatures, if
//! its path has the gateway's secret; gateways with neither get no callbacks. A wrong secret gets the
//! same response as the right one, so that a guess reveals nothing. An invalid signature is refused, so
//! that a wrong setup shows.

pub(crate) mod forgery_limit;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use redflash_core::engine::{CallbackKind, ReceiveError};
use redflash_core::gateway::{Authenticity, Callback};
use redflash_core::model::Slug;
use redflash_core::{Engine, error_chain};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq;
use tracing::{error, warn};

use crate::app::App;
use crate::error::RequestErrorKind;
use crate::extract::body;
use crate::extract::body::{BodyLimits, BufferedBody, Fields};
use crate::extract::body_memory::Reservation;
use crate::route::{Auth, Route};
use crate::server::connection::Peer;

/// Maximum size of a callback, in bytes.
const MAX_BODY: usize = 256 * 1024;
/// Time limit for a gateway to send a callback.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::any("/ack", Auth::Handler, ack),
        Route::any("/ack/", Auth::Handler, ack),
        Route::any("/ack/{gateway}", Auth::Handler, ack_gateway),
        Route::any("/ack/{gateway}/", Auth::Handler, ack_gateway),
        Route::any("/ack/{gateway}/{secret}", Auth::Handler, ack_secret),
        Route::any("/ack/{gateway}/{secret}/", Auth::Handler, ack_secret),
        Route::any("/inbound", Auth::Handler, inbound),
        Route::any("/inbound/", Auth::Handler, inbound),
        Route::any("/inbound/{gateway}", Auth::Handler, inbound_gateway),
        Route::any("/inbound/{gateway}/", Auth::Handler, inbound_gateway),
        Route::any("/inbound/{gateway}/{secret}", Auth::Handler, inbound_secret),
        Route::any(
            "/inbound/{gateway}/{secret}/",
            Auth::Handler,
            inbound_secret,
        ),
    ]
}

async fn ack(State(app): State<Arc<App>>, request: Request) -> StatusCode {
    default_callback(&app, CallbackKind::Receipts, request).await
}

async fn ack_gateway(
    State(app): State<Arc<App>>,
    Path(gateway): Path<String>,
    request: Request,
) -> StatusCode {
    gateway_callback(&app, CallbackKind::Receipts, &gateway, None, request).await
}

async fn ack_secret(
    State(app): State<Arc<App>>,
    Path((gateway, secret)): Path<(String, String)>,
    request: Request,
) -> StatusCode {
    gateway_callback(
        &app,
        CallbackKind::Receipts,
        &gateway,
        Some(&secret),
        request,
    )
    .await
}

async fn inbound(State(app): State<Arc<App>>, request: Request) -> StatusCode {
    default_callback(&app, CallbackKind::Inbound, request).await
}

async fn inbound_gateway(
    State(app): State<Arc<App>>,
    Path(gateway): Path<String>,
    request: Request,
) -> StatusCode {
    gateway_callback(&app, CallbackKind::Inbound, &gateway, None, request).await
}

async fn inbound_secret(
    State(app): State<Arc<App>>,
    Path((gateway, secret)): Path<(String, String)>,
    request: Request,
) -> StatusCode {
    gateway_callback(
        &app,
        CallbackKind::Inbound,
        &gateway,
        Some(&secret),
        request,
    )
    .await
}

/// Handles a callback without a gateway in its URL, which belongs to the default gateway.
async fn default_callback(app: &App, kind: CallbackKind, request: Request) -> StatusCode {
    match &app.config.settings.get().default_gateway {
        Some(gateway) => gateway_callback(app, kind, gateway.as_str(), None, request).await,
        None => StatusCode::OK,
    }
}

async fn gateway_callback(
    app: &App,
    kind: CallbackKind,
    gateway: &str,
    secret: Option<&str>,
    request: Request,
) -> StatusCode {
    let known = gateway.parse().ok();
    let Some(gateway) = known.filter(|name| app.engine.gateways().get(name).is_some()) else {
        warn!("callback for an unknown gateway");
        return StatusCode::OK;
    };
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return StatusCode::OK;
    }
    let from = request.extensions().get::<Peer>().map(|Peer(from)| *from);
    let received = match Received::read(app, request).await {
        Ok(received) => received,
        Err(status) => return status,
    };
    let callback = received.callback();
    match app.engine.authenticate(&gateway, &callback) {
        Ok(Authenticity::Signed) => {}
        Ok(Authenticity::Unsigned) if has_valid_secret(app, &gateway, secret) => {}
        Ok(Authenticity::Unsigned) => {
            warn!(%gateway, "callback without the secret of its gateway");
            return StatusCode::OK;
        }
        Err(error) => {
            warn!(%gateway, error = error_chain(&error), "callback not authenticated");
            return app.forgery_limit.status(from);
        }
    }
    // On a task of its own, so that a gateway that hangs up does not interrupt it.
    let recording = tokio::spawn(record(app.engine.clone(), gateway, kind, received));
    recording.await.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns true if the path has a secret of the gateway, in the same time for every wrong secret.
fn has_valid_secret(app: &App, gateway: &Slug, secret: Option<&str>) -> bool {
    let settings = app.config.settings.get();
    let (Some(secret), Some(secrets)) = (secret, settings.callback_secrets.get(gateway)) else {
        return false;
    };
    let equal = |live: &SecretString| {
        let live = live.expose_secret().as_bytes();
        bool::from(live.ct_eq(secret.as_bytes()))
    };
    secrets.iter().any(equal)
}

async fn record(
    engine: Engine,
    gateway: Slug,
    kind: CallbackKind,
    received: Received,
) -> StatusCode {
    let callback = received.callback();
    match engine.record_callback(&gateway, kind, &callback).await {
        Ok(_) => StatusCode::OK,
        Err(ReceiveError::Store(error)) => {
            error!(%gateway, error = error_chain(&error), "callback not recorded");
            // This status makes the gateway retry.
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(error) => {
            // A retry would not help, so the status is a success.
            warn!(%gateway, error = error_chain(&error), "callback ignored");
            StatusCode::OK
        }
    }
}

/// A callback as received.
struct Received {
    parts: Parts,
    url: String,
    fields: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Bytes,
    _memory: Reservation,
}

impl Received {
    async fn read(app: &App, request: Request) -> Result<Self, StatusCode> {
        let (parts, body) = request.into_parts();
        let bounds = BodyLimits {
            bytes: MAX_BODY,
            time: BODY_TIMEOUT,
            ..app.body_limits(false)
        };
        let read = body::read(&parts.headers, body, bounds).await;
        let BufferedBody {
            bytes: body,
            memory,
        } = read.map_err(|error| match error.kind {
            RequestErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RequestErrorKind::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        })?;
        let mut fields = flat(body::query(parts.uri.query()).unwrap_or_default());
        if !body.is_empty() {
            // A body without fields may still be in a format that the channel reads.
            let in_body = body::parse_fields(&parts.headers, body.clone()).await;
            fields.extend(flat(in_body.unwrap_or_default()));
        }
        Ok(Self {
            url: url(app, &parts),
            headers: headers(&parts.headers),
            fields,
            body,
            _memory: memory,
            parts,
        })
    }

    fn callback(&self) -> Callback<'_> {
        Callback {
            method: self.parts.method.as_str(),
            url: &self.url,
            fields: &self.fields,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// Returns the URL that the gateway called: from the public URL, or else from the `Host` header.
fn url(app: &App, parts: &Parts) -> String {
    let path = match parts.extensions.get::<OriginalUri>() {
        Some(OriginalUri(uri)) => uri,
        None => &parts.uri,
    };
    let path = path.path_and_query().map_or("/", |path| path.as_str());
    let path = app.base.strip(path);
    if let Some(public) = &app.config.public_url {
        return format!("{}{path}", public.trim_end_matches('/'));
    }
    let host = parts.headers.get(HOST);
    let host = host.and_then(|host| host.to_str().ok());
    format!("http://{}{path}", host.unwrap_or("localhost"))
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
