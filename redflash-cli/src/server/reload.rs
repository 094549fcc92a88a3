//! `SIGHUP`: reloads the configuration and applies the settings that can change at run time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use redflash_core::Engine;
use redflash_core::engine::Settings;
use redflash_core::gateway::Gateways;
use redflash_http::{HttpSettings, LiveSettings};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Registry, reload};

use super::cleanup::Cleanup;
use crate::config::{self, Admin, Config, Delivery, Loaded, Overrides, Server};
use crate::error::{CliError, Exit};

/// A handle to the filter of the log.
pub(crate) type LogFilter = reload::Handle<Targets, Registry>;

/// The state that a reload reads and changes.
#[derive(Debug)]
pub(crate) struct Reload {
    /// With the file that the server was started with.
    pub(crate) overrides: Overrides,
    /// The configuration that the server was started with.
    pub(crate) started: Config,
    pub(crate) engine: Engine,
    pub(crate) http: LiveSettings,
    pub(crate) cleanup: watch::Sender<Cleanup>,
    pub(crate) log: LogFilter,
    /// The level from the command line, which takes precedence.
    pub(crate) log_option: Option<String>,
}

impl Reload {
    /// Reloads at each `SIGHUP`, until the server stops.
    pub(crate) async fn run(self, mut hangups: Signal, stop: CancellationToken) {
        let reloading = async {
            while hangups.recv().await.is_some() {
                let _ = notify_reloading();
                match self.apply() {
                    Ok(loaded) => self.report(&loaded),
                    Err(error) => error!(
                        "cannot reload the configuration, nothing was changed: {}",
                        error.message
                    ),
                }
                let _ = sd_notify::notify(&[NotifyState::Ready]);
            }
        };
        stop.run_until_cancelled(reloading).await;
    }

    /// Reads everything before applying anything, so that a file with an error changes nothing.
    fn apply(&self) -> Result<Loaded, CliError> {
        let loaded = config::load(&self.overrides)?;
        if let Some(file) = &loaded.file {
            reject_empty(file)?;
        }
        let filter = loaded.config.log.filter(self.log_option.as_deref())?;
        let settings = settings(&loaded)?;
        self.engine.replace_settings(settings);
        self.http.replace(http_settings(&loaded));
        self.cleanup.send_replace(Cleanup::new(&loaded.config));
        self.log
            .reload(filter)
            .map_err(|error| CliError::new(Exit::Failed, format!("log.level: {error}")))?;
        Ok(loaded)
    }

    fn report(&self, loaded: &Loaded) {
        for warning in &loaded.warnings {
            warn!("{warning}");
        }
        let keys = needs_restart(&self.started, &loaded.config);
        if !keys.is_empty() {
            let keys = keys.join(", ");
            warn!(keys, "changed keys that require a restart");
        }
        info!(
            gateways = loaded.gateways.len(),
            "reloaded the configuration"
        );
    }
}

/// Notifies the service manager of the reload, with the time that `Type=notify-reload` requires.
fn notify_reloading() -> std::io::Result<()> {
    let begun = NotifyState::monotonic_usec_now()?;
    sd_notify::notify(&[NotifyState::Reloading, begun])
}

/// Returns the signals that request a reload.
pub(crate) fn hangups() -> Result<Signal, CliError> {
    signal(SignalKind::hangup())
        .map_err(|error| CliError::new(Exit::Failed, format!("cannot listen for signals: {error}")))
}

/// Rejects an empty file, which is probably still being written.
fn reject_empty(file: &Path) -> Result<(), CliError> {
    let text = fs::read_to_string(file).unwrap_or_default();
    if text.trim().is_empty() {
        let file = file.display();
        return Err(CliError::usage(format!("{file}: the file is empty")));
    }
    Ok(())
}

/// Returns the configured settings of the engine.
fn settings(loaded: &Loaded) -> Result<Settings, CliError> {
    let gateways = loaded.gateways.iter();
    let gateways = Gateways::new(gateways.map(|configured| configured.gateway.clone()));
    let gateways = gateways.map_err(|error| CliError::usage(error.to_string()))?;
    let mut settings = Settings::new(gateways);
    settings
        .alarm_contact
        .clone_from(&loaded.config.alarm.contact);
    settings
        .inbound_event
        .clone_from(&loaded.config.inbound.event);
    Ok(settings)
}

/// Returns the configured settings of the HTTP server.
pub(crate) fn http_settings(loaded: &Loaded) -> HttpSettings {
    let admin = &loaded.config.admin;
    let secrets = loaded.gateways.iter().map(|configured| {
        let name = configured.gateway.name.clone();
        (name, configured.callback_secrets.clone())
    });
    let mut settings = HttpSettings::default();
    settings.callback_secrets = secrets.collect::<BTreeMap<_, _>>();
    settings
        .default_gateway
        .clone_from(&loaded.config.callbacks.default_gateway);
    settings.session_idle = admin.session_idle;
    settings.session_length = admin.session_length;
    settings.trusted_proxies = admin.trusted_proxies.iter().map(|net| net.0).collect();
    settings
}

/// Returns the changed keys that require a restart.
///
/// Destructures every struct, so that a new key does not compile until it is listed or ignored here.
fn needs_restart(before: &Config, after: &Config) -> Vec<&'static str> {
    let Config {
        database,
        database_file: _,
        postgres,
        server,
        delivery,
        log,
        callbacks: _,
        inbound: _,
        alarm: _,
        sms,
        admin,
    } = before;
    let Admin {
        session_idle: _,
        session_length: _,
        trusted_proxies: _,
        keep_audit: _,
        oidc,
    } = admin;
    let mut changed = vec![
        ("database", *database != after.database),
        ("postgres", *postgres != after.postgres),
        ("sms", *sms != after.sms),
        ("log.format", log.format != after.log.format),
        ("admin.oidc", *oidc != after.admin.oidc),
    ];
    changed.extend(server_keys(server, &after.server));
    changed.extend(delivery_keys(delivery, &after.delivery));
    let differs = changed.into_iter().filter(|(_, differs)| *differs);
    differs.map(|(key, _)| key).collect()
}

fn server_keys(
    before: &Server,
    after: &Server,
) -> impl Iterator<Item = (&'static str, bool)> + use<> {
    let Server {
        listen,
        public_url,
        metrics_listen,
        max_connections,
        max_body,
        rate_per_key,
        header_timeout,
        body_timeout,
        connection_timeout,
        drain,
    } = before;
    [
        ("server.listen", *listen != after.listen),
        ("server.public_url", *public_url != after.public_url),
        (
            "server.metrics_listen",
            *metrics_listen != after.metrics_listen,
        ),
        (
            "server.max_connections",
            *max_connections != after.max_connections,
        ),
        ("server.max_body", *max_body != after.max_body),
        ("server.rate_per_key", *rate_per_key != after.rate_per_key),
        (
            "server.header_timeout",
            *header_timeout != after.header_timeout,
        ),
        ("server.body_timeout", *body_timeout != after.body_timeout),
        (
            "server.connection_timeout",
            *connection_timeout != after.connection_timeout,
        ),
        ("server.drain", *drain != after.drain),
    ]
    .into_iter()
}

fn delivery_keys(
    before: &Delivery,
    after: &Delivery,
) -> impl Iterator<Item = (&'static str, bool)> + use<> {
    let Delivery {
        mode,
        sync_wait,
        max_queued,
        lease,
        keep_log: _,
    } = before;
    [
        ("delivery.mode", *mode != after.mode),
        ("delivery.sync_wait", *sync_wait != after.sync_wait),
        ("delivery.max_queued", *max_queued != after.max_queued),
        ("delivery.lease", *lease != after.lease),
    ]
    .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_only_keys_that_require_a_restart() {
        let before = Config::default();
        let mut after = before.clone();
        after.log.level = "debug".into();
        after.alarm.contact = Some("ann".parse().unwrap());
        after.delivery.keep_log = Some(std::time::Duration::from_secs(1));
        assert!(needs_restart(&before, &after).is_empty());
        after.server.listen = "127.0.0.1:1".into();
        after.delivery.lease *= 2;
        assert_eq!(
            needs_restart(&before, &after),
            ["server.listen", "delivery.lease"]
        );
    }
}
