//! ConnectionSlots: accepted up to a number, bounded in time, and ended in order.
//!
//! hyper's HTTP/1 is used bare, since a server that is only told to serve never closes the
//! connection of a client that falls silent.

pub(crate) mod connection;
pub(crate) mod connection_slots;
pub(crate) mod lingering_close;
pub(crate) mod response_body;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use redflash_core::Engine;
use tokio::net::TcpListener;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::server::connection::Client;
use crate::server::connection_slots::ConnectionSlots;
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
    let show = get(move || async move { metrics.response(&engine).await });
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
    let slots = ConnectionSlots::new(config.max_connections);
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
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(fault) if passes(&fault) => {
                warn!(%fault, "a connection was not accepted");
                // Out of file descriptors, most likely: some are about to be closed.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let slot = tokio::select! {
            () = &mut shutdown => break,
            slot = slots.slot() => slot,
        };
        let client = Client {
            stream,
            from: from.ip(),
            slot,
        };
        connections.spawn(connection::serve(
            client,
            app.clone(),
            config.clone(),
            stop.clone(),
        ));
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

/// Whether accepting may work again by itself.
fn passes(fault: &io::Error) -> bool {
    !matches!(
        fault.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
    )
}
