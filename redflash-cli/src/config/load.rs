//! Finding and reading the configuration.

use std::fs;
use std::path::{Path, PathBuf};

use redflash_channels::{Configured, read_secret_file};
use redflash_core::error_chain;
use secrecy::ExposeSecret;
use toml::{Table, Value};

use super::source::Source;
use super::warnings::warnings;
use super::{Config, DatabaseUrl, Loaded, Overrides, database, environment, file_key, gateways};
use crate::error::CliError;

/// The paths that are tried when neither an option nor a variable names the configuration.
const DEFAULT_PATHS: [&str; 2] = ["redflash.toml", "/etc/redflash/redflash.toml"];

/// Reads and checks the configuration.
///
/// # Errors
///
/// Names the file, the line and the key, and describes a valid value.
pub(crate) fn load(overrides: &Overrides) -> Result<Loaded, CliError> {
    let file = find(overrides)?;
    let text = match &file {
        Some(path) => fs::read_to_string(path).map_err(|error| {
            CliError::usage(format!("{}: {}", path.display(), error_chain(&error)))
        })?,
        None => String::new(),
    };
    let path = file.as_deref().unwrap_or(Path::new("the environment"));
    let mut source = Source::new(path, &text);
    let mut table: Table = toml::from_str(&text).map_err(|error| source.syntax(&error))?;
    source.name_gateways(&table);
    check_pairs(&table, &source)?;
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
    let tables = gateways::take_tables(&mut table, &source)?;
    let mut config = read(table, &source)?;
    let gateways = gateways::configure_all(tables, config.server.public_url.as_deref(), &source)?;
    read_files(&mut config, &source)?;
    check(&config, &gateways, &source)?;
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

fn find(overrides: &Overrides) -> Result<Option<PathBuf>, CliError> {
    let (path, named_by) = if let Some(path) = &overrides.config {
        (path.clone(), "--config")
    } else if let Some(path) = environment::variable("REDFLASH_CONFIG")? {
        (path.into(), "REDFLASH_CONFIG")
    } else {
        let mut paths = DEFAULT_PATHS.iter().map(PathBuf::from);
        return Ok(paths.find(|path| path.exists()));
    };
    if path.is_file() {
        return Ok(Some(path));
    }
    Err(CliError::usage(format!(
        "{named_by}: there is no file {}",
        path.display()
    )))
}

/// Rejects a key beside its counterpart, such as `password` beside `password_file`.
fn check_pairs(table: &Table, source: &Source<'_>) -> Result<(), CliError> {
    let Some(key) = file_key::find_conflict(table) else {
        return Ok(());
    };
    let name = key.rsplit('.').next().unwrap_or(&key);
    let reason = format!(
        "set either {} or {name}, not both",
        file_key::counterpart(name)
    );
    Err(source.key(&key, &reason))
}

fn read(table: Table, source: &Source<'_>) -> Result<Config, CliError> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        source.serde(&path, error.inner().message(), &["gateways"])
    })
}

/// Replaces the names of files with the secrets that they contain.
fn read_files(config: &mut Config, source: &Source<'_>) -> Result<(), CliError> {
    if let Some(path) = &config.database_file {
        let url = read_secret_file(path).map_err(|error| {
            let reason = format!("cannot read {}: {error}", path.display());
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
        oidc.read_secret(source)?;
    }
    Ok(())
}

/// Rejects values that have the right type but are out of range or contradict each other.
fn check(config: &Config, gateways: &[Configured], source: &Source<'_>) -> Result<(), CliError> {
    let public_url = config.server.public_url.as_deref();
    config.admin.check(public_url, source)?;
    config.server.check(source)?;
    config.delivery.check(source)?;
    config.sms.check(source)?;
    config.postgres.check(source)?;
    database::check_url(config, source)?;
    config.log.check(source)?;
    config.delivery.check_lease(gateways, source)?;
    config.callbacks.check(gateways, source)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::config) fn load_text(text: &str) -> Result<Loaded, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        let overrides = Overrides {
            config: Some(file.path().to_owned()),
            database: None,
        };
        let path = file.path().display().to_string();
        load(&overrides).map_err(|error| error.message.replace(&path, "FILE"))
    }

    #[test]
    fn names_each_mistake_with_its_line() {
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
                "FILE, line 2: database_file: set either database or database_file, not both",
            ),
            (
                "[[gateways]]\nname = \"a\"\ntype = \"slack\"\nrooms = { b = \"c\", b_file = \"d\" }",
                "FILE, line 4: gateway a: rooms.b_file: set either b or b_file, not both",
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
            let error = load_text(text).unwrap_err();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }
}
