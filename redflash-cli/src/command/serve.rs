//! `redflash serve`: the server.

use std::net::SocketAddr;
use std::time::Duration;

use redflash_core::{Engine, error_chain};
use redflash_http::{AdminConfig, HttpConfig, Metrics, Mode, OidcConfig, serve, serve_metrics};
use redflash_store::Access;
use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{self, Config, Log, LogFormat, Overrides};
use crate::context::{Context, Missing};
use crate::error::{CliError, Exit};
use crate::server::{Cleanup, LogFilter, Reload, hangups, http_settings, provider};

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Examples:
  redflash serve
  redflash serve --listen 127.0.0.1:8025 --log warn,redflash_http=debug")]
pub(crate) struct Args {
    /// Address and port to listen on [default: server.listen in the configuration]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Log level: error, warn, info, debug or trace, or a list such as `warn,redflash_http=debug`
    /// [default: `REDFLASH_LOG`, else log.level in the configuration]
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
}

/// Time that hand-overs in progress have to finish when the server stops.
const GRACE: Duration = Duration::from_secs(10);

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    let log = start_log(&context.loaded.config.log, args.log.as_deref())?;
    for warning in &context.loaded.warnings {
        warn!("{warning}");
    }
    let oidc = context.loaded.config.admin.oidc.as_ref();
    let oidc = oidc.map(provider).transpose()?;
    let server = &context.loaded.config.server;
    let listen = args
        .listen
        .map_or_else(|| server.listen.clone(), |listen| listen.to_string());
    // Before the store is opened: if another server uses the address, the tables stay unchanged.
    let listener = bind(&listen).await?;
    let metrics_listener = match &server.metrics_listen {
        Some(address) => Some((address, bind(address).await?)),
        None => None,
    };
    let engine = context.engine(Access::Server, Missing::Create).await?;
    let metrics =
        Metrics::install().map_err(|error| CliError::new(Exit::Failed, error_chain(&error)))?;
    let stop = stop_signal()?;
    let hangups = hangups()?;
    if let Some((address, listener)) = metrics_listener {
        let address = listener
            .local_addr()
            .map_err(|error| listen_error(address, &error))?;
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
        .map_err(|error| listen_error(&listen, &error))?;
    info!("listening on http://{address}");
    log_first_user_hint(&engine, &server.admin_url(&address.to_string())).await;
    notify(sd_notify::NotifyState::Ready);
    let (cleanup, changes) = watch::channel(Cleanup::new(&context.loaded.config));
    tokio::spawn(Cleanup::run(changes, engine.clone(), stop.clone()));
    let http = http(context, metrics, oidc);
    let reload = Reload {
        overrides: Overrides {
            config: context.loaded.file.clone(),
            ..context.overrides.clone()
        },
        started: context.loaded.config.clone(),
        engine: engine.clone(),
        http: http.settings.clone(),
        cleanup,
        log,
        log_option: args.log,
    };
    tokio::spawn(reload.run(hangups, stop.clone()));
    let ended = serve(engine, http, listener, stop.clone().cancelled_owned()).await;
    notify(sd_notify::NotifyState::Stopping);
    running.shutdown(GRACE).await;
    info!("stopped");
    ended.map_err(|error| CliError::new(Exit::Failed, format!("the listener failed: {error}")))
}

/// Logs how to create the first user, if there is none.
async fn log_first_user_hint(engine: &Engine, url: &str) {
    let users = engine.store().users().await;
    // A store error here must not stop the server.
    if users.is_ok_and(|users| users.is_empty()) {
        info!(
            "no users yet: create one with `redflash user add NAME --role admin`, then log in at {url}"
        );
    }
}

async fn bind(address: &str) -> Result<TcpListener, CliError> {
    listen(address)
        .await
        .map_err(|error| listen_error(address, &error))
}

/// Listens on the first address of a host where that is possible.
///
/// With tokio's default backlog of 1,024, a burst of idle connections makes the system drop others, whose
/// clients retry only after a second.
async fn listen(address: &str) -> std::io::Result<TcpListener> {
    const BACKLOG: u32 = 4096;
    let mut last = None;
    for address in lookup_host(address).await? {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("the host has no address")))
}

fn listen_error(address: &str, error: &std::io::Error) -> CliError {
    let message = format!("cannot listen on {address}: {error}; use --listen for another address");
    CliError::new(Exit::Failed, message)
}

/// Notifies the service manager, if it asked for that.
fn notify(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "cannot notify the service manager");
    }
}

/// Returns a token that is cancelled by SIGTERM and SIGINT.
fn stop_signal() -> Result<CancellationToken, CliError> {
    let listen = |kind| {
        signal(kind).map_err(|error| {
            CliError::new(Exit::Failed, format!("cannot listen for signals: {error}"))
        })
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
    let Config {
        server, delivery, ..
    } = &loaded.config;
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
        settings: http_settings(loaded).into(),
        public_url: server.public_url.clone(),
        metrics: Some(metrics),
        admin: AdminConfig { oidc },
        ..HttpConfig::default()
    }
}

/// Starts the log on standard error. Returns the handle that changes its level.
///
/// * `option` - the level from the command line.
fn start_log(log: &Log, option: Option<&str>) -> Result<LogFilter, CliError> {
    let (filter, handle) = reload::Layer::new(log.filter(option)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    let started = match log.format {
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    started
        .map_err(|error| CliError::new(Exit::Failed, format!("cannot start the log: {error}")))?;
    Ok(handle)
}

/// Serves an engine without signals or a log, for the demonstration.
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
