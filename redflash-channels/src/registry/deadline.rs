//! The deadline of a hand-over: the gateway's own `timeout` plus a margin.

use std::time::Duration;

use serde_json::Value;

use crate::registry::settings::Settings;
use crate::text::duration;

/// Time beyond its `timeout` that a channel gets to report the outcome of the message itself.
const MARGIN: Duration = Duration::from_secs(1);

/// Returns the default `timeout` of a type of gateway; `None` for a type without one.
fn ordinary(type_name: &str) -> Option<&'static str> {
    match type_name {
        "console" => None,
        "exec" | "signal" => Some("30s"),
        "smtp" => Some("20s"),
        "matrix" | "teams" => Some("15s"),
        _ => Some("10s"),
    }
}

/// Returns the deadline of a hand-over by the `timeout` of a gateway's table, and sets that to its
/// default if it is missing. `None` for a type without a timeout, and for an invalid duration, which the
/// type itself rejects.
pub(crate) fn of(settings: &mut Settings, type_name: &str) -> Option<Duration> {
    if let Some(timeout) = ordinary(type_name) {
        let timeout = || timeout.into();
        settings.entry("timeout").or_insert_with(timeout);
    }
    let timeout = settings.get("timeout").and_then(Value::as_str)?;
    Some(duration::parse(timeout).ok()? + MARGIN)
}
