//! Finding and reading the configuration.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use redflash_channels::{COMMON_KEYS, Configured, TYPES, configure, read_secret_file};
use redflash_core::{Slug, error_chain};
use secrecy::ExposeSecret;
use toml::{Table, Value};

use super::fault::Source;
use super::{Config, DatabaseUrl, Loaded, Overrides, environment, log_filter, twin};
use crate::database_url;
use crate::failure::Failure;

/// Where the configuration is looked for when no option names it.
const PLACES: [&str; 2] = ["redflash.toml", "/etc/redflash/redflash.toml"];

/// What serves when no gateway is configured: webhooks to public addresses.
const DEFAULT_GATEWAY: &str = "name = \"webhook\"\ntype = \"webhook\"\n";

/// Reads the configuration, whole and checked.
///
/// # Errors
///
/// Names the file, the line, the key and what would be right.
pub(crate) fn load(overrides: &Overrides) -> Result<Loaded, Failure> {
    let file = file(overrides)?;
    let text = match &file {
        Some(path) => fs::read_to_string(path).map_err(|fault| {
            Failure::usage(format!("{}: {}", path.display(), error_chain(&fault)))
        })?,
        None => String::new(),
    };
    let path = file.as_deref().unwrap_or(Path::new("the environment"));
    let mut source = Source::new(path, &text);
    let mut table: Table = toml::from_str(&text).map_err(|fault| source.syntax(&fault))?;
    source.name_gateways(&table);
    if let Some(key) = twin::find_both(&table) {
        let name = key.rsplit('.').next().unwrap_or(&key);
        let reason = format!("give {} or {name}, not both", twin::of(name));
        return Err(source.key(&key, &reason));
    }
    let variables = environment::variables()?;
    let unread = environment::unread(&variables);
    source.variables = environment::overlay(&mut table, variables)?;
    if let Some(database) = &overrides.database {
        table.remove("database_file");
        table.insert("database".into(), database.as_str().into());
        source
            .variables
            .insert("database".into(), "--database".into());
    }
    let source = source;
    let tables = gateway_tables(&mut table, &source)?;
    let mut config = read(table, &source)?;
    let gateways = gateways(tables, config.server.public_url.as_deref(), &source)?;
    if let Some(path) = &config.database_file {
        let url = read_secret_file(path).map_err(|fault| {
            let reason = format!("{} cannot be read: {fault}", path.display());
            source.key("database_file", &reason)
        })?;
        let url = url.expose_secret().trim();
        if url.is_empty() {
            let reason = format!("{} is empty", path.display());
            return Err(source.key("database_file", &reason));
        }
        config.database = DatabaseUrl(url.into());
    }
    if let Some(oidc) = &mut config.admin.oidc {
        oidc.read_secret(&source)?;
    }
    let public_url = config.server.public_url.as_deref();
    config.admin.check(public_url, &source)?;
    check(&config, &source)?;
    check_lease(&config, &gateways, &source)?;
    let known = |name: &Slug| {
        gateways
            .iter()
            .any(|configured| configured.gateway.name == *name)
    };
    if let Some(name) = config
        .callbacks
        .default_gateway
        .as_ref()
        .filter(|name| !known(name))
    {
        let reason = format!("no gateway is called {name}");
        return Err(source.key("callbacks.default_gateway", &reason));
    }
    let mut warnings = warnings(&config, &text, file.as_deref());
    warnings.extend(unread);
    for configured in &gateways {
        let name = &configured.gateway.name;
        let of_gateway = configured.warnings.iter();
        warnings.extend(of_gateway.map(|warning| format!("gateway {name}: {warning}")));
    }
    Ok(Loaded {
        config,
        gateways,
        file,
        warnings,
    })
}

fn file(overrides: &Overrides) -> Result<Option<PathBuf>, Failure> {
    let (path, named_by) = match &overrides.config {
        Some(path) => (path.clone(), "--config"),
        None => match environment::variable("REDFLASH_CONFIG")? {
            Some(path) => (path.into(), "REDFLASH_CONFIG"),
            None => return Ok(PLACES.iter().map(PathBuf::from).find(|path| path.exists())),
        },
    };
    if path.is_file() {
        return Ok(Some(path));
    }
    Err(Failure::usage(format!(
        "{named_by}: there is no file {}",
        path.display()
    )))
}

fn read(table: Table, source: &Source<'_>) -> Result<Config, Failure> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|fault| {
        let path = fault.path().to_string();
        source.serde(&path, fault.inner().message(), &["gateways"])
    })
}

fn gateway_tables(table: &mut Table, source: &Source<'_>) -> Result<Vec<Table>, Failure> {
    let wrong = || {
        let reason = "write each gateway as a table, under [[gateways]]";
        source.key("gateways", reason)
    };
    match table.remove("gateways") {
        None => Ok(vec![DEFAULT_GATEWAY.parse().expect("it is TOML")]),
        Some(Value::Array(tables)) => tables
            .into_iter()
            .map(|item| match item {
                Value::Table(table) => Ok(table),
                _ => Err(wrong()),
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}

fn gateways(
    tables: Vec<Table>,
    public_url: Option<&str>,
    source: &Source<'_>,
) -> Result<Vec<Configured>, Failure> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for (number, table) in tables.into_iter().enumerate() {
        let place = format!("gateways[{number}]");
        let json = serde_json::to_value(&table);
        let Ok(serde_json::Value::Object(settings)) = json else {
            return Err(source.key(&place, "it holds something that is no text, number or list"));
        };
        let kind = settings.get("type").and_then(|name| name.as_str());
        let known = gateway_keys(kind.unwrap_or_default());
        let configured = configure(settings, public_url).map_err(|fault| match &fault.key {
            Some(key) => source.serde(&format!("{place}.{key}"), &fault.reason, &known),
            None => source.serde(&place, &fault.reason, &known),
        })?;
        if !names.insert(configured.gateway.name.clone()) {
            let reason = "another gateway has this name: give each its own";
            return Err(source.key(&format!("{place}.name"), reason));
        }
        all.push(configured);
    }
    Ok(all)
}

/// The keys that the table of a gateway may hold beside those that its type reads itself.
fn gateway_keys(type_name: &str) -> Vec<&'static str> {
    let kind = TYPES.iter().find(|kind| kind.name == type_name);
    let secrets = kind.into_iter().flat_map(|kind| kind.secrets);
    let own = [
        "name",
        "type",
        "callback_secret",
        "previous_callback_secret",
    ];
    let known = own.iter().chain(COMMON_KEYS).chain(secrets);
    known.copied().collect()
}

/// What is of the right type, and cannot be.
fn check(config: &Config, source: &Source<'_>) -> Result<(), Failure> {
    let address = |key: &str, text: &str| {
        text.parse::<SocketAddr>().map(drop).map_err(|_| {
            let reason = format!("{text:?} is no address and port, such as \"127.0.0.1:8025\"");
            source.key(key, &reason)
        })
    };
    address("server.listen", &config.server.listen)?;
    if let Some(listen) = &config.server.metrics_listen {
        address("server.metrics_listen", listen)?;
    }
    let in_range = |key: &str, value: u64, least: u64, most: u64| {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(source.key(key, &format!("it must be from {least} to {most}")))
    };
    let server = &config.server;
    in_range(
        "server.max_connections",
        server.max_connections as u64,
        1,
        100_000,
    )?;
    in_range(
        "server.max_body",
        server.max_body as u64,
        1024,
        64 * 1024 * 1024,
    )?;
    in_range(
        "delivery.max_queued",
        config.delivery.max_queued,
        1,
        1_000_000_000,
    )?;
    for (place, prefix) in config.sms.premium_prefixes.iter().enumerate() {
        let digits = prefix.strip_prefix('+').unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let key = format!("sms.premium_prefixes[{place}]");
            let reason = "it must be the beginning of a telephone number, such as \"+449\"";
            return Err(source.key(&key, reason));
        }
    }
    if let Some(url) = &server.public_url
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        return Err(source.key(
            "server.public_url",
            "it must start with https:// or http://",
        ));
    }
    if let Some(url) = &server.public_url
        && let Err(fault) = redflash_http::BasePath::of(url)
    {
        return Err(source.key("server.public_url", &fault.to_string()));
    }
    in_range(
        "postgres.connections",
        config.postgres.connections as u64,
        2,
        1000,
    )?;
    if let Err(reason) = database_url::parse(config.database.0.expose_secret()) {
        let key = match config.database_file {
            Some(_) => "database_file",
            None => "database",
        };
        return Err(source.key(key, &reason));
    }
    let level = log_filter::parse(&config.log.level);
    level
        .map(drop)
        .map_err(|reason| source.key("log.level", &reason))
}

/// A lease could end while a hand-over is still under way, so that the message is sent twice.
fn check_lease(
    config: &Config,
    gateways: &[Configured],
    source: &Source<'_>,
) -> Result<(), Failure> {
    let gateways = gateways.iter().map(|configured| &configured.gateway);
    let Some(slowest) = gateways.max_by_key(|gateway| gateway.limits.deadline) else {
        return Ok(());
    };
    let least = slowest.shortest_lease();
    if config.delivery.lease >= least {
        return Ok(());
    }
    let least = SignedDuration::try_from(least).unwrap_or(SignedDuration::MAX);
    let reason = format!(
        "it must be at least {least:#}, since a hand-over through the gateway {} may take {} s \
         (its timeout and 1 s), and a lease lasts for two of them and 2 s: make it longer, or that \
         gateway's timeout shorter",
        slowest.name,
        slowest.limits.deadline.as_secs_f32()
    );
    Err(source.key("delivery.lease", &reason))
}

fn warnings(config: &Config, text: &str, file: Option<&Path>) -> Vec<String> {
    let mut warnings = Vec::new();
    let mode = file.and_then(|path| Some(path.metadata().ok()?.permissions().mode()));
    let mut secrets = TYPES.iter().flat_map(|kind| kind.secrets).chain(&[
        "callback_secret",
        "previous_callback_secret",
        "client_secret",
    ]);
    let holds = |key: &&str| {
        text.lines().any(|line| {
            let (name, value) = line.split_once('=').unwrap_or_default();
            let name = name.trim();
            let is_login = matches!(name, "database" | "proxy") && value.contains('@');
            let is_secret = match key.strip_suffix('*') {
                Some(table) => name.starts_with(table),
                None => name == *key,
            };
            is_secret || is_login
        })
    };
    if let (Some(path), Some(mode)) = (file, mode)
        && mode & 0o044 != 0
        && secrets.any(holds)
    {
        let path = path.display();
        warnings.push(format!(
            "{path} holds secrets and others can read it: chmod 600 {path}"
        ));
    }
    let listen = config.server.listen.parse::<SocketAddr>();
    let url = config.server.public_url.as_deref();
    if listen.is_ok_and(|address| !address.ip().is_loopback())
        && !url.is_some_and(|url| url.starts_with("https://"))
    {
        warnings.push(format!(
            "{} can be reached from outside, and keys travel unprotected unless a proxy in front \
             speaks TLS: put one there and name it in server.public_url",
            config.server.listen
        ));
    }
    if url.is_some_and(|url| url.starts_with("https://")) && config.admin.trusted_proxies.is_empty()
    {
        let warning = "wrong tries to log in to the web admin all count against the proxy in front \
                       that speaks TLS: name it in admin.trusted_proxies";
        warnings.push(warning.to_owned());
    }
    warnings
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::config) fn loaded(text: &str) -> Result<Loaded, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let overrides = Overrides {
            config: Some(file.path().to_owned()),
            database: None,
        };
        let path = file.path().display().to_string();
        load(&overrides).map_err(|failure| failure.message.replace(&path, "FILE"))
    }

    #[test]
    fn a_file_with_a_password_is_nobody_elses() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let overrides = Overrides {
            config: Some(file.path().to_owned()),
            database: None,
        };
        for (text, mode, warns) in [
            ("database = \"postgres://a:b@localhost/c\"", 0o644, true),
            ("database = \"postgres://a:b@localhost/c\"", 0o600, false),
            ("database = \"sqlite:a.db\"", 0o644, false),
        ] {
            fs::write(file.path(), text).unwrap();
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            let warnings = load(&overrides).unwrap().warnings;
            let warned = warnings.iter().any(|warning| warning.contains("chmod"));
            assert_eq!(warned, warns, "{text} {mode:o}");
        }
    }

    #[test]
    fn a_proxy_in_front_is_to_be_named() {
        let server = "[server]\npublic_url = \"https://a.example\"\n";
        let named = format!("{server}[admin]\ntrusted_proxies = [\"10.0.0.1\"]");
        for (text, warns) in [(server, true), (&named, false), ("", false)] {
            let warnings = loaded(text).unwrap().warnings;
            let warned = warnings
                .iter()
                .any(|warning| warning.contains("trusted_proxies"));
            assert_eq!(warned, warns, "{text}");
        }
    }

    #[test]
    fn a_lease_outlasts_two_hand_overs() {
        let config = |lease: &str, timeout: &str| {
            format!(
                "[delivery]\nlease = \"{lease}\"\n[[gateways]]\nname = \"quick\"\ntype = \"webhook\"\n\
                 timeout = \"1s\"\n[[gateways]]\nname = \"slow\"\ntype = \"webhook\"\n\
                 timeout = \"{timeout}\"\n"
            )
        };
        let fault = loaded(&config("3s", "10s")).unwrap_err();
        for wanted in [
            "FILE, line 2: delivery.lease:",
            "gateway slow",
            "at least 24s",
        ] {
            assert!(fault.contains(wanted), "{wanted}: {fault}");
        }
        assert!(loaded(&config("23s", "10s")).is_err());
        loaded(&config("24s", "10s")).unwrap();
        loaded(&config("10m", "4m")).unwrap();
        let without_lease = "[[gateways]]\nname = \"a\"\ntype = \"webhook\"\ntimeout = \"2m\"";
        let fault = loaded(without_lease).unwrap_err();
        assert!(
            fault.contains("delivery.lease: it must be at least 4m 4s"),
            "{fault}"
        );
    }

    #[test]
    fn warns_of_a_gateway_that_may_dial_everything() {
        for (networks, warns) in [
            ("[\"0.0.0.0/0\"]", true),
            ("[\"::/0\"]", true),
            ("[\"10.1.0.0/16\", \"0.0.0.0/1\"]", true),
            ("[\"10.0.0.0/8\"]", false),
        ] {
            let text = format!(
                "[[gateways]]\nname = \"hooks\"\ntype = \"webhook\"\nallow_networks = {networks}"
            );
            let warnings = loaded(&text).unwrap().warnings;
            let warned = warnings
                .iter()
                .any(|warning| warning.starts_with("gateway hooks: allow_networks holds"));
            assert_eq!(warned, warns, "{networks}: {warnings:?}");
        }
    }

    #[test]
    fn the_audit_log_is_kept_as_long_as_asked_for() {
        let kept = |text: &str| loaded(text).map(|loaded| loaded.config.admin.keep_audit);
        let days = |days: u64| Some(std::time::Duration::from_secs(days * 24 * 60 * 60));
        assert_eq!(kept(""), Ok(days(730)));
        assert_eq!(kept("[admin]\nkeep_audit = \"90d\""), Ok(days(90)));
        assert_eq!(kept("[admin]\nkeep_audit = \"forever\""), Ok(None));
        for bad in ["\"0d\"", "\"59m\"", "\"\"", "90", "\"always\""] {
            let fault = kept(&format!("[admin]\nkeep_audit = {bad}")).unwrap_err();
            assert!(fault.contains("admin.keep_audit"), "{fault}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, wanted) in [
            ("listen = ", "FILE, line 1, column"),
            (
                "[server]\nlisten = \"nowhere\"",
                "FILE, line 2: server.listen:",
            ),
            (
                "[server]\n\nlisen = \"0.0.0.0:80\"",
                "FILE, line 3: server.lisen: unknown key `lisen`, did you mean `listen`?",
            ),
            (
                "[[gateway]]\nname = \"a\"",
                "FILE, line 1: gateway: unknown key `gateway`, did you mean `gateways`?",
            ),
            (
                "[[gateways]]\nname = \"a\"\ntype = \"webhook\"\nper_secnd = 1",
                "FILE, line 4: gateway a: per_secnd: unknown key `per_secnd`, did you mean `per_second`?",
            ),
            (
                "[[gateways]]\nname = \"a\"\ntype = \"webhook\"\nallow_networks = \"10.0.0.0/8\"",
                "FILE, line 4: gateway a: allow_networks: write a list in brackets",
            ),
            (
                "[[gateways]]\nname = \"a\"\ntype = \"webhook\"\nprefixes = 5",
                "FILE, line 4: gateway a: prefixes: write a list in brackets",
            ),
            (
                "[[gateways]]\ntype = \"webhook\"",
                "FILE, line 1: gateway number 1: name:",
            ),
            (
                "[admin]\ntrusted_proxies = \"10.0.0.0/8\"",
                "FILE, line 2: admin.trusted_proxies: write a list in brackets",
            ),
            (
                "database = \"sqlite:a\"\ndatabase_file = \"b\"",
                "FILE, line 2: database_file: give database or database_file, not both",
            ),
            (
                "[[gateways]]\nname = \"a\"\ntype = \"slack\"\nrooms = { b = \"c\", b_file = \"d\" }",
                "FILE, line 4: gateway a: rooms.b_file: give b or b_file, not both",
            ),
            ("workers = \"many\"", "workers"),
            (
                "[server]\nmax_body = \"many\"",
                "FILE, line 2: server.max_body:",
            ),
            (
                "[server]\npublic_url = \"https://a.example/admin/x\"",
                "FILE, line 2: server.public_url: its path cannot begin with /admin",
            ),
            (
                "[server]\npublic_url = \"https://a.example/x?y\"",
                "FILE, line 2: server.public_url: it must not have a query or a fragment",
            ),
            (
                "[server]\nmax_connections = 0",
                "FILE, line 2: server.max_connections: it must be from 1",
            ),
            (
                "[delivery]\nmode = \"later\"",
                "FILE, line 2: delivery.mode:",
            ),
            (
                "[delivery]\nsync_wait = \"-5s\"",
                "FILE, line 2: delivery.sync_wait:",
            ),
            ("[log]\nlevel = \"verbose\"", "FILE, line 2: log.level:"),
            ("[log]\nlevel = \"\"", "FILE, line 2: log.level:"),
            ("gateways = 5", "FILE, line 1: gateways:"),
            (
                "[sms]\npremium_prefixes = [\"+449\", \"0900\"]",
                "FILE, line 2: sms.premium_prefixes[1]:",
            ),
            (
                "[[gateways]]\nname = \"a\"\n[[gateways]]\n",
                "FILE, line 1: gateway a: type:",
            ),
            (
                "[[gateways]]\nname = \"a\"\ntype = \"webhook\"\nretry = [\"1s\", \"-5s\"]",
                "FILE, line 4: gateway a: retry[1]:",
            ),
            (
                "[[gateways]]\nname = \"a\"\ntype = \"webhook\"\n[[gateways]]\nname = \"a\"\ntype = \"webhook\"",
                "FILE, line 5: gateway a: name:",
            ),
        ] {
            let fault = loaded(text).unwrap_err();
            assert!(fault.contains(wanted), "{text:?}: {fault}");
        }
    }
}
