//! Pairs of keys for one value: `password`, and `password_file` for a file that contains it.

use toml::{Table, Value};

/// Returns the other key of the pair.
pub(super) fn counterpart(key: &str) -> String {
    match key.strip_suffix("_file") {
        Some(direct) => direct.to_owned(),
        None => format!("{key}_file"),
    }
}

/// Returns the path of the first `KEY_file` beside its `KEY`, in this table or a nested one.
pub(super) fn find_conflict(table: &Table) -> Option<String> {
    for (key, value) in table {
        if key.ends_with("_file") && table.contains_key(&counterpart(key)) {
            return Some(key.clone());
        }
        if let Some(inner) = in_value(value) {
            let separator = if inner.starts_with('[') { "" } else { "." };
            return Some(format!("{key}{separator}{inner}"));
        }
    }
    None
}

fn in_value(value: &Value) -> Option<String> {
    match value {
        Value::Table(table) => find_conflict(table),
        Value::Array(items) => items.iter().enumerate().find_map(|(number, item)| {
            let inner = in_value(item)?;
            Some(format!("[{number}].{inner}"))
        }),
        _ => None,
    }
}
