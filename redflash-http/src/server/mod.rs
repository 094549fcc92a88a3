//! The server: accepts connections up to a limit, bounds their time, and shuts down gracefully.
//!
//! It uses hyper's HTTP/1 directly, since `axum::serve` never closes the connection of an idle client.

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

/// Serves until shutdown, and then until the requests in progress have ended.
///
/// * `shutdown` - a future that completes when the server is to stop.
///
/// # Errors
///
/// Permanent errors of the listener, such as a closed socket.
pub async fn serve(
    engine: Engine,
    config: HttpConfig,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = router(engine, config.clone());
    run(app, config, listener, shutdown).await
}

/// Serves `/metrics` alone, without authentication.
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
    let scrape = get(move || async move { metrics.response(&engine).await });
    let app = Router::new().route("/metrics", scrape);
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
    let mut upkeep = interval(Duration::from_secs(5));
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            _ = upkeep.tick() => {
                if let Some(metrics) = &config.metrics {
                    metrics.run_upkeep();
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_temporary(&error) => {
                warn!(%error, "connection not accepted");
                // Most likely the process is out of file descriptors, of which some will close soon.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let slot = tokio::select! {
            () = &mut shutdown => break,
            slot = slots.acquire() => slot,
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
    info!("shutting down: no new requests are accepted");
    stop.cancel();
    connections.close();
    if timeout(config.drain, connections.wait()).await.is_err() {
        warn!(
            connections = connections.len(),
            "closed connections that did not end in time"
        );
    }
    Ok(())
}

/// Returns true if accepting may work again later.
fn is_temporary(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
    )
}
