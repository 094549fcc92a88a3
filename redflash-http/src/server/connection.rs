//! One connection, from its first byte to its last response.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::http::header::{CONNECTION, HOST};
use axum::http::{HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::debug;

use crate::HttpConfig;
use crate::server::connection_slots::ConnectionSlot;
use crate::server::lingering_close::{LingeringStream, UnreadFlag};
use crate::server::response_body::ResponseBody;

/// The address of the peer that sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A token that is cancelled at shutdown, for long-running responses.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

/// An accepted connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) from: IpAddr,
    pub(crate) slot: Arc<ConnectionSlot>,
}

pub(crate) async fn serve(
    client: Client,
    app: Router,
    config: HttpConfig,
    stop: CancellationToken,
) {
    let Client { stream, from, slot } = client;
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "TCP_NODELAY not set");
    }
    let begun = tokio::select! {
        begun = timeout(config.header_timeout, refuse_http2(&stream)) => begun,
        // Browsers open connections ahead of need; these must not delay the shutdown.
        () = stop.cancelled() => return,
        () = slot.evicted() => return debug!("idle connection closed to make room"),
    };
    if !matches!(begun, Ok(Ok(false))) {
        return debug!("connection without a request");
    }
    let stopping = Stopping(stop.clone());
    let unread = UnreadFlag::default();
    let service = service_fn(|mut request: Request<Incoming>| {
        let active = slot.begin();
        request.extensions_mut().insert(Peer(from));
        request.extensions_mut().insert(Arc::clone(&slot));
        request.extensions_mut().insert(stopping.clone());
        let request = request.map(|body| unread.track(body, Arc::clone(&slot)));
        let app = app.clone();
        async move {
            let response = if has_one_host(&request) {
                app.oneshot(request).await?
            } else {
                wrong_host()
            };
            active.responded();
            Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, active)))
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_headers(100)
        .max_buf_size(64 * 1024)
        .serve_connection(
            TokioIo::new(LingeringStream::new(stream, unread.clone())),
            service,
        );
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        is_last = end(&config, &stop, &slot) => {
            if !is_last {
                return debug!("idle connection closed to make room");
            }
            serving.as_mut().graceful_shutdown();
            let Ok(ended) = timeout(config.drain + config.max_wait, serving).await else {
                return debug!("connection closed at its time limit");
            };
            ended
        }
    };
    if let Err(error) = ended {
        // Clients that break the protocol are not worth a warning.
        debug!(%error, "connection ended with an error");
    }
}

/// Returns true if a request names the host once, as HTTP/1.1 requires (RFC 9112, section 3.2).
/// HTTP/1.0 has no such header.
fn has_one_host<B>(request: &Request<B>) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() < Version::HTTP_11,
        named => named == 1,
    }
}

fn wrong_host() -> Response {
    let close = [(CONNECTION, HeaderValue::from_static("close"))];
    let text = "400 Bad Request: send one Host header (RFC 9112, section 3.2)\n";
    (StatusCode::BAD_REQUEST, close, text).into_response()
}

/// Answers a client that speaks HTTP/2, which hyper would drop silently. Waits for the first bytes of
/// any client, and returns true if the connection is done.
async fn refuse_http2(stream: &TcpStream) -> io::Result<bool> {
    /// The connection preface of HTTP/2 (RFC 9113, section 3.4).
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";
    const RESPONSE: &[u8] =
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let mut first = [0; PREFACE.len()];
    let read = stream.peek(&mut first).await?;
    if read == 0 || &first[..read] != PREFACE {
        return Ok(read == 0);
    }
    stream.writable().await?;
    stream.try_write(RESPONSE).map(|_| true)
}

/// Waits until a connection reaches its maximum age, is evicted, or the server shuts down. Returns true
/// if a request may be in progress, which is then served.
async fn end(config: &HttpConfig, stop: &CancellationToken, slot: &ConnectionSlot) -> bool {
    tokio::select! {
        () = sleep(config.connection_timeout) => true,
        () = stop.cancelled() => true,
        () = slot.evicted() => slot.is_busy(),
    }
}
