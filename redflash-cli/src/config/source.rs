//! Errors in a configuration, with their locations.

use std::ops::RangeInclusive;
use std::path::Path;

use toml::de::DeTable;
use toml::{Table, Value};

use super::environment::Overlaid;
use super::serde_error;
use crate::error::CliError;

/// The text of a configuration file, to locate keys, and the keys that come from elsewhere.
#[derive(Debug)]
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    /// The names of the gateways, in order.
    gateways: Vec<Option<String>>,
    /// The keys that the environment or an option sets.
    pub(super) variables: Overlaid,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self {
            path,
            text,
            gateways: Vec::new(),
            variables: Overlaid::new(),
        }
    }
}

impl Source<'_> {
    /// Stores the names of the gateways, for error messages.
    pub(super) fn name_gateways(&mut self, table: &Table) {
        let gateways = table.get("gateways").and_then(Value::as_array);
        let name = |gateway: &Value| Some(gateway.get("name")?.as_str()?.to_owned());
        self.gateways = gateways.into_iter().flatten().map(name).collect();
    }

    /// Creates an error about TOML syntax. Omits the line, which may contain a secret.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> CliError {
        let (line, column) = self.position(error.span().map_or(0, |span| span.start));
        let path = self.path.display();
        CliError::usage(format!(
            "{path}, line {line}, column {column}: {}",
            error.message()
        ))
    }

    /// Creates an error about a key, such as `server.listen` or `gateways[1].port`.
    pub(super) fn key(&self, key: &str, reason: &str) -> CliError {
        let shown = self.shown(key);
        if let Some(variable) = self.variable(key) {
            return CliError::usage(format!("{variable}: {shown}: {reason}"));
        }
        let path = self.path.display();
        let line = self.line(key);
        let location = line.map_or_else(String::new, |line| format!(", line {line}"));
        CliError::usage(format!("{path}{location}: {shown}: {reason}"))
    }

    /// Creates an error about a key from a message of serde.
    ///
    /// * `known` - valid keys in addition to those that the message lists.
    pub(super) fn serde(&self, key: &str, reason: &str, known: &[&str]) -> CliError {
        let reworded = serde_error::reword(reason, known);
        let table = if key == "." { "" } else { key };
        let key = match serde_error::unknown_key(reason) {
            Some(name) if table.is_empty() => name.to_owned(),
            Some(name) if table.rsplit('.').next() != Some(name) => format!("{table}.{name}"),
            _ => key.to_owned(),
        };
        self.key(&key, &reworded)
    }

    /// Rejects a number outside a range.
    pub(super) fn check_range(
        &self,
        key: &str,
        value: u64,
        range: RangeInclusive<u64>,
    ) -> Result<(), CliError> {
        if range.contains(&value) {
            return Ok(());
        }
        let (least, most) = range.into_inner();
        Err(self.key(key, &format!("it must be from {least} to {most}")))
    }

    /// Replaces the index of a gateway with its name.
    fn shown(&self, key: &str) -> String {
        let Some((number, rest)) = key
            .strip_prefix("gateways[")
            .and_then(|rest| rest.split_once(']'))
        else {
            return key.to_owned();
        };
        let index = number.parse::<usize>().unwrap_or_default();
        let gateway = match self.gateways.get(index) {
            Some(Some(name)) => format!("gateway {name}"),
            _ => format!("gateway number {}", index + 1),
        };
        match rest.trim_start_matches('.') {
            "" => gateway,
            rest => format!("{gateway}: {rest}"),
        }
    }

    /// Returns the variable or option that sets a key, or the list or table around it.
    fn variable(&self, key: &str) -> Option<&str> {
        let contains_key = |set: &&String| {
            let rest = key.strip_prefix(set.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let set = self.variables.keys().find(contains_key)?;
        Some(&self.variables[set])
    }

    /// Returns the line of a key, or of the closest enclosing table.
    fn line(&self, key: &str) -> Option<usize> {
        let root = DeTable::parse(self.text).ok()?;
        let mut table = root.get_ref();
        let mut found = None;
        for segment in key.split('.') {
            let (name, index) = match segment.split_once('[') {
                Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
                None => (segment, None),
            };
            let Some((at, value)) = table.iter().find(|(at, _)| at.get_ref() == name) else {
                break;
            };
            found = Some(at.span().start);
            let mut value = value;
            if let (Some(array), Some(index)) = (value.get_ref().as_array(), index) {
                let Some(item) = array.get(index) else { break };
                found = Some(item.span().start);
                value = item;
            }
            match value.get_ref().as_table() {
                Some(inner) => table = inner,
                None => break,
            }
        }
        found.map(|offset| self.position(offset).0)
    }

    /// Returns the line and column of an offset, counted from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..offset.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }
}
