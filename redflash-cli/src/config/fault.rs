//! What is wrong with a configuration: where, and what would be right.

use std::path::Path;

use toml::de::DeTable;

use crate::failure::Failure;

/// The text of a configuration file, in which keys can be found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// A fault of TOML itself. The line is not quoted: it may hold a secret.
    pub(super) fn syntax(&self, fault: &toml::de::Error) -> Failure {
        let (line, column) = self.place(fault.span().map_or(0, |span| span.start));
        let path = self.path.display();
        Failure::usage(format!(
            "{path}, line {line}, column {column}: {}",
            fault.message()
        ))
    }

    /// A fault of a key, such as `server.listen` or `gateways[1].port`.
    pub(super) fn key(&self, key: &str, reason: &str) -> Failure {
        let path = self.path.display();
        let line = self.line(key);
        let place = line.map_or_else(String::new, |line| format!(", line {line}"));
        Failure::usage(format!("{path}{place}: {key}: {reason}"))
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
