//! Connections: accepted up to a number, bounded in time, and ended in order.
//!
//! hyper's HTTP/1 is used bare, since a server that is only told to serve never closes the
//! connection of a client that falls silent.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use redflash_core::Engine;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::{debug, info, warn};

use crate::{HttpConfig, Metrics, router};

/// Serves until it is told to stop, and then until what is under way has ended.
///
/// * `shutdown` - ends when the server is to stop.
///
/// # Errors
///
/// Those of the listener that do not pass, such as a closed socket.
pub async fn serve(
    engine: Engine,
    config: HttpConfig,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = router(engine, config.clone());
    run(app, config, listener, shutdown).await
}

/// Serves `/metrics` alone, to everybody who reaches the listener.
///
/// # Errors
///
/// As [`serve`].
pub async fn serve_metrics(
    engine: Engine,
    metrics: Metrics,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let show = get(move || async move { metrics.response(&engine) });
    let app = Router::new().route("/metrics", show);
    run(app, HttpConfig::default(), listener, shutdown).await
}

async fn run(
    app: Router,
    config: HttpConfig,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    let stop = CancellationToken::new();
    let places = Arc::new(Semaphore::new(config.max_connections));
    let mut shutdown = pin!(shutdown);
    let mut tidy = interval(Duration::from_secs(5));
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            _ = tidy.tick() => {
                if let Some(metrics) = &config.metrics {
                    metrics.tidy();
                }
                continue;
            }
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, from, place) = match accepted {
            Ok(accepted) => accepted,
            Err(fault) if passes(&fault) => {
                warn!(%fault, "a connection was not accepted");
                // Out of file descriptors, most likely: some are about to be closed.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let serving = connection(stream, from, app.clone(), config.clone(), stop.clone());
        connections.spawn(async move {
            serving.await;
            drop(place);
        });
    }
    drop(listener);
    info!("no more requests are taken");
    stop.cancel();
    connections.close();
    if timeout(config.drain, connections.wait()).await.is_err() {
        warn!(
            connections = connections.len(),
            "cut off what did not end in time"
        );
    }
    Ok(())
}

/// Accepts a connection once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (stream, from) = listener.accept().await?;
    Ok((stream, from.ip(), place))
}

/// Whether accepting may work again by itself.
fn passes(fault: &io::Error) -> bool {
    !matches!(
        fault.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
    )
}

/// Who a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Cancelled when the server is to stop, for answers that would go on.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

async fn connection(
    stream: TcpStream,
    from: IpAddr,
    app: Router,
    config: HttpConfig,
    stop: CancellationToken,
) {
    if let Err(fault) = stream.set_nodelay(true) {
        debug!(%fault, "answers may be held back a little");
    }
    let begun = timeout(config.header_timeout, refuse_http2(&stream));
    // A browser opens connections before it needs them: they hold nothing up.
    let begun = stop.run_until_cancelled(begun).await;
    if !matches!(begun, Some(Ok(Ok(false)))) {
        return debug!("a connection without a request");
    }
    let stopping = Stopping(stop.clone());
    let app = app.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(from));
        request.extensions_mut().insert(stopping.clone());
        request
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_headers(100)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        () = end(&config, &stop) => {
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

/// Waits until a connection has lasted long enough, or the server is to stop.
async fn end(config: &HttpConfig, stop: &CancellationToken) {
    tokio::select! {
        () = sleep(config.connection_timeout) => {}
        () = stop.cancelled() => {}
    }
}
