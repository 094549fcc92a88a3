//! Verdicts, states and times in words for people.

use jiff::Timestamp as Instant;
use redflash_core::{DeliveryState, Endpoint, Timestamp};

use crate::output::{Tone, one_line};

/// The colour of a state.
pub(crate) const fn tone(state: DeliveryState) -> Tone {
    match state {
        DeliveryState::Queued | DeliveryState::Sending => Tone::Waiting,
        DeliveryState::Sent | DeliveryState::Delivered => Tone::Good,
        DeliveryState::Failed
        | DeliveryState::Cancelled
        | DeliveryState::Suppressed
        | DeliveryState::Quarantined => Tone::Bad,
    }
}

/// A time, in UTC to the second.
pub(crate) fn time(at: Timestamp) -> String {
    match Instant::from_millisecond(at.as_millis()) {
        Ok(instant) => instant.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => "?".into(),
    }
}

/// `on` or `off`.
pub(crate) const fn switch(enabled: bool) -> &'static str {
    if enabled { "on" } else { "off" }
}

/// Whether an endpoint is on, and why not.
pub(crate) fn endpoint_switch(endpoint: &Endpoint) -> String {
    match &endpoint.opted_out {
        Some(reason) => format!("off: {}", one_line(reason)),
        None => switch(endpoint.enabled).to_owned(),
    }
}

/// `1 contact`, `2 contacts`, `2 deliveries`, `2 gateways`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("1 {noun}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}
