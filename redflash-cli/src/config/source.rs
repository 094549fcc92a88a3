//! What is wrong with a configuration: where, and what would be right.

use std::ops::RangeInclusive;
use std::path::Path;

use toml::de::DeTable;
use toml::{Table, Value};

use super::environment::Overlaid;
use super::serde_error;
use crate::error::CliError;

/// The text of a configuration file, in which keys can be found, and the keys that come from elsewhere.
#[derive(Debug)]
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    /// The names of the gateways, in their order.
    gateways: Vec<Option<String>>,
    /// The keys that the environment or an option has set.
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
    /// Takes down the names of the gateways, by which faults are told.
    pub(super) fn name_gateways(&mut self, table: &Table) {
        let gateways = table.get("gateways").and_then(Value::as_array);
        let name = |gateway: &Value| Some(gateway.get("name")?.as_str()?.to_owned());
        self.gateways = gateways.into_iter().flatten().map(name).collect();
    }

    /// A error of TOML itself. The line is not quoted: it may hold a secret.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> CliError {
        let (line, column) = self.place(error.span().map_or(0, |span| span.start));
        let path = self.path.display();
        CliError::usage(format!(
            "{path}, line {line}, column {column}: {}",
            error.message()
        ))
    }

    /// A error of a key, such as `server.listen` or `gateways[1].port`.
    pub(super) fn key(&self, key: &str, reason: &str) -> CliError {
        let shown = self.shown(key);
        if let Some(variable) = self.variable(key) {
            return CliError::usage(format!("{variable}: {shown}: {reason}"));
        }
        let path = self.path.display();
        let line = self.line(key);
        let place = line.map_or_else(String::new, |line| format!(", line {line}"));
        CliError::usage(format!("{path}{place}: {shown}: {reason}"))
    }

    /// A error of a key in the words of serde.
    ///
    /// * `known` - keys that are right in this place, beside those that the reason lists.
    pub(super) fn serde(&self, key: &str, reason: &str, known: &[&str]) -> CliError {
        let words = serde_error::reword(reason, known);
        let table = if key == "." { "" } else { key };
        let key = match serde_error::unknown_key(reason) {
            Some(name) if table.is_empty() => name.to_owned(),
            Some(name) if table.rsplit('.').next() != Some(name) => format!("{table}.{name}"),
            _ => key.to_owned(),
        };
        self.key(&key, &words)
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

    /// The key with the name of its gateway.
    fn shown(&self, key: &str) -> String {
        let Some((number, rest)) = key
            .strip_prefix("gateways[")
            .and_then(|rest| rest.split_once(']'))
        else {
            return key.to_owned();
        };
        let place = number.parse::<usize>().unwrap_or_default();
        let gateway = match self.gateways.get(place) {
            Some(Some(name)) => format!("gateway {name}"),
            _ => format!("gateway number {}", place + 1),
        };
        match rest.trim_start_matches('.') {
            "" => gateway,
            rest => format!("{gateway}: {rest}"),
        }
    }

    /// The variable or option that has set a key, or the list or table around it.
    fn variable(&self, key: &str) -> Option<&str> {
        let is_within = |set: &&String| {
            let rest = key.strip_prefix(set.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let set = self.variables.keys().find(is_within)?;
        Some(&self.variables[set])
    }

    /// The line of a key, or of the nearest table around it.
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
        found.map(|offset| self.place(offset).0)
    }

    /// The line and column of a place in the text, counted from 1.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..offset.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }
}
