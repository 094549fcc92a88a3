//! One connection, from its first byte to its last answer.

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

/// Who a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Cancelled when the server is to stop, for answers that would go on.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

/// A client that has connected.
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
    if let Err(fault) = stream.set_nodelay(true) {
        debug!(%fault, "answers may be held back a little");
    }
    let begun = tokio::select! {
        begun = timeout(config.header_timeout, refuse_http2(&stream)) => begun,
        // A browser opens connections before it needs them: they hold nothing up.
        () = stop.cancelled() => return,
        () = slot.evicted() => return debug!("a silent connection made room for another"),
    };
    if !matches!(begun, Ok(Ok(false))) {
        return debug!("a connection without a request");
    }
    let stopping = Stopping(stop.clone());
    let unread = UnreadFlag::default();
    let service = service_fn(|mut request: Request<Incoming>| {
        let active = slot.begin();
        request.extensions_mut().insert(Peer(from));
        request.extensions_mut().insert(Arc::clone(&slot));
        request.extensions_mut().insert(stopping.clone());
        let request = request.map(|body| unread.watch(body, Arc::clone(&slot)));
        let app = app.clone();
        async move {
            let response = if has_one_host(&request) {
                app.oneshot(request).await?
            } else {
                wrong_host()
            };
            active.answer();
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
                return debug!("a silent connection made room for another");
            }
            serving.as_mut().graceful_shutdown();
            let Ok(ended) = timeout(config.drain + config.max_wait, serving).await else {
                return debug!("a connection was cut off");
            };
            ended
        }
    };
    if let Err(fault) = ended {
        // A client that misbehaves is no fault of ours.
        debug!(%fault, "a connection ended badly");
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

/// Answers a client that begins to speak HTTP/2, which hyper leaves without a word. Whether it did;
/// waits for the first bytes of any client.
async fn refuse_http2(stream: &TcpStream) -> io::Result<bool> {
    /// The beginning of an HTTP/2 connection (RFC 9113, section 3.4).
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";
    const ANSWER: &[u8] =
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let mut first = [0; PREFACE.len()];
    let read = stream.peek(&mut first).await?;
    if read == 0 || &first[..read] != PREFACE {
        return Ok(read == 0);
    }
    stream.writable().await?;
    stream.try_write(ANSWER).map(|_| true)
}

/// Waits until a connection has lasted long enough, has to make room for another, or the server is to
/// stop. Returns true if a request may still be under way, which is to be served.
async fn end(config: &HttpConfig, stop: &CancellationToken, slot: &ConnectionSlot) -> bool {
    tokio::select! {
        () = sleep(config.connection_timeout) => true,
        () = stop.cancelled() => true,
        () = slot.evicted() => slot.is_busy(),
    }
}
