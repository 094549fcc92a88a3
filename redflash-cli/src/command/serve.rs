//! `redflash serve`: the server.

use std::collections::BTreeMap;
use std::time::Duration;

use redflash_core::{Engine, report};
use redflash_http::{AdminConfig, HttpConfig, Metrics, Mode, OidcConfig, serve, serve_metrics};
use redflash_store::Access;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use super::prune;
use crate::config::{self, Log, LogFormat};
use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// The address and port, instead of the configured one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<std::net::SocketAddr>,
    /// What is logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", env = "REDFLASH_LOG")]
    log: Option<String>,
}

/// How often the log is looked through for what is too old.
const TIDY: Duration = Duration::from_secs(600);
/// How long hand-overs under way may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(10);

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    start_log(&context.loaded.config.log, args.log.as_deref())?;
    for warning in &context.loaded.warnings {
        warn!("{warning}");
    }
    let oidc = context.loaded.config.admin.oidc.as_ref();
    let oidc = oidc.map(crate::oidc::provider).transpose()?;
    let engine = context.engine(Access::Server).await?;
    let server = &context.loaded.config.server;
    let listen = args
        .listen
        .map_or_else(|| server.listen.clone(), |listen| listen.to_string());
    let listener = bind(&listen).await?;
    let metrics = Metrics::install().map_err(|fault| Failure::new(Exit::Failed, report(&fault)))?;
    let stop = stopped()?;
    if let Some(address) = &server.metrics_listen {
        let listener = bind(address).await?;
        let address = listener
            .local_addr()
            .map_err(|fault| bound(address, &fault))?;
        info!("metrics on http://{address}/metrics");
        let ended = stop.clone().cancelled_owned();
        tokio::spawn(serve_metrics(
            engine.clone(),
            metrics.clone(),
            listener,
            ended,
        ));
    }
    let running = engine.start().await?;
    let address = listener
        .local_addr()
        .map_err(|fault| bound(&listen, &fault))?;
    info!("listening on http://{address}");
    notify(sd_notify::NotifyState::Ready);
    if let Some(age) = context.loaded.config.delivery.keep_log {
        tokio::spawn(tidy(engine.clone(), age, stop.clone()));
    }
    let http = http(context, metrics, oidc);
    let ended = serve(engine, http, listener, stop.clone().cancelled_owned()).await;
    notify(sd_notify::NotifyState::Stopping);
    running.shutdown(GRACE).await;
    info!("stopped");
    ended.map_err(|fault| Failure::new(Exit::Failed, format!("the listener failed: {fault}")))
}

/// Keeps the log from growing without end.
async fn tidy(engine: Engine, age: Duration, stop: CancellationToken) {
    let mut look = tokio::time::interval(TIDY);
    let work = async {
        loop {
            look.tick().await;
            match prune::older_than(&engine, age).await {
                Ok(0) => {}
                Ok(removed) => info!(removed, "removed what is too old from the log"),
                Err(fault) => warn!(fault = report(&fault), "the log could not be tidied"),
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

async fn bind(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|fault| bound(address, &fault))
}

fn bound(address: &str, fault: &std::io::Error) -> Failure {
    let message = format!("cannot listen on {address}: {fault}; --listen names another address");
    Failure::new(Exit::Failed, message)
}

/// Tells the service manager, if one asked to be told.
fn notify(state: sd_notify::NotifyState<'_>) {
    if let Err(fault) = sd_notify::notify(&[state]) {
        warn!(%fault, "the service manager was not told");
    }
}

/// Cancelled when the process is asked to end.
fn stopped() -> Result<CancellationToken, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|fault| Failure::new(Exit::Failed, format!("no signals: {fault}")))
    };
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        cancelled.cancel();
    });
    Ok(stop)
}

pub(super) fn http(context: &Context, metrics: Metrics, oidc: Option<OidcConfig>) -> HttpConfig {
    let loaded = &context.loaded;
    let (server, delivery) = (&loaded.config.server, &loaded.config.delivery);
    let secrets = loaded.gateways.iter().map(|configured| {
        (
            configured.gateway.name.clone(),
            configured.callback_secrets.clone(),
        )
    });
    HttpConfig {
        mode: match delivery.mode {
            config::Mode::Async => Mode::Async,
            config::Mode::Sync => Mode::Sync,
        },
        sync_wait: delivery.sync_wait,
        max_body: server.max_body,
        header_timeout: server.header_timeout,
        body_timeout: server.body_timeout,
        connection_timeout: server.connection_timeout,
        max_connections: server.max_connections,
        rate_per_key: server.rate_per_key,
        drain: server.drain,
        callback_secrets: secrets.collect::<BTreeMap<_, _>>(),
        default_gateway: loaded.config.callbacks.default_gateway.clone(),
        public_url: server.public_url.clone(),
        metrics: Some(metrics),
        admin: AdminConfig {
            oidc,
            ..AdminConfig::default()
        },
        ..HttpConfig::default()
    }
}

/// The log goes to standard error.
fn start_log(log: &Log, level: Option<&str>) -> Result<(), Failure> {
    let level = level.unwrap_or(&log.level);
    let filter: EnvFilter = level
        .parse()
        .map_err(|_| Failure::usage(format!("--log: {level:?} is no level")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|fault| Failure::new(Exit::Failed, format!("no log: {fault}")))
}

/// Serves an engine until it is stopped, without signals or a log: for the demonstration.
pub(super) async fn serve_until(
    engine: Engine,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    serve(
        engine,
        HttpConfig::default(),
        listener,
        stop.cancelled_owned(),
    )
    .await
}
