//! Reads a gateway's table of the configuration into the struct of its type.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use redflash_core::error_chain;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ConfigError;

/// The keys and values of one table.
pub(crate) type Settings = Map<String, Value>;

/// Takes a key with a text value out of the table.
pub(crate) fn take_text(settings: &mut Settings, key: &str) -> Result<Option<String>, ConfigError> {
    match settings.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ConfigError::at(key, "it must be a text in quotes")),
    }
}

/// Sets `KEY` to the contents of the file that `KEY_file` names. A key `TABLE.*` stands for all keys of
/// that table.
pub(crate) fn read_secret(settings: &mut Settings, key: &str) -> Result<(), ConfigError> {
    if let Some(table) = key.strip_suffix(".*") {
        return read_secrets(settings, table);
    }
    // Checked here, since deserializing the struct would quote the value.
    if settings.get(key).is_some_and(|value| !value.is_string()) {
        return Err(ConfigError::at(key, "it must be a text in quotes"));
    }
    let twin = format!("{key}_file");
    let Some(path) = take_text(settings, &twin)? else {
        return Ok(());
    };
    if settings.contains_key(key) {
        return Err(ConfigError::at(
            twin,
            format!("give {key} or {key}_file, not both"),
        ));
    }
    let secret = read_secret_file(Path::new(&path)).map_err(|error| {
        ConfigError::at(
            &*twin,
            format!("{path} cannot be read: {}", error_chain(&error)),
        )
    })?;
    let secret = secret.expose_secret();
    if secret.is_empty() {
        return Err(ConfigError::at(twin, format!("{path} is empty")));
    }
    settings.insert(key.to_owned(), secret.into());
    Ok(())
}

/// Reads a file that holds a secret. A byte order mark at its beginning and line ends at its end, which
/// editors add, are not part of the secret.
///
/// # Errors
///
/// Returns the error of the file system, [`io::ErrorKind::InvalidData`] for a file that is not UTF-8, or
/// [`io::ErrorKind::FileTooLarge`] for one of more than 64 KiB.
pub fn read_secret_file(path: &Path) -> io::Result<SecretString> {
    const LARGEST: u64 = 64 * 1024;
    let mut text = String::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let text = text.trim_start_matches('\u{feff}');
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

fn read_secrets(settings: &mut Settings, table: &str) -> Result<(), ConfigError> {
    let secrets = match settings.get_mut(table) {
        None => return Ok(()),
        Some(Value::Object(secrets)) => secrets,
        Some(_) => return Err(ConfigError::at(table, "it must be a table of names")),
    };
    let names: Vec<_> = secrets.keys().cloned().collect();
    for name in &names {
        let name = name.strip_suffix("_file").unwrap_or(name);
        read_secret(secrets, name).map_err(|error| ConfigError {
            key: error.key.map(|key| format!("{table}.{key}")),
            ..error
        })?;
    }
    Ok(())
}

/// Takes a secret out of the table, given as `KEY` or in a file as `KEY_file`.
pub(crate) fn take_secret(
    settings: &mut Settings,
    key: &str,
) -> Result<Option<SecretString>, ConfigError> {
    read_secret(settings, key)?;
    let secret = take_text(settings, key)?;
    if secret.as_deref().is_some_and(str::is_empty) {
        return Err(ConfigError::at(key, "it must not be empty"));
    }
    Ok(secret.map(SecretString::from))
}

/// Reads the remaining keys of the table into a struct.
pub(crate) fn read<T: DeserializeOwned>(settings: Settings) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(Value::Object(settings)).map_err(|error| {
        let path = error.path().to_string();
        ConfigError {
            key: (path != ".").then_some(path),
            reason: error.inner().to_string(),
        }
    })
}
