//! States, times and counts, formatted for people.

use std::sync::OnceLock;

use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::DeliveryState;
use redflash_core::model::Endpoint;

use crate::output::Tone;
use crate::sanitize::one_line;

/// Returns the tone of a state.
pub(crate) const fn tone(state: DeliveryState) -> Tone {
    match state {
        DeliveryState::Queued | DeliveryState::Sending => Tone::Waiting,
        DeliveryState::Sent | DeliveryState::Delivered => Tone::Good,
        _ => Tone::Bad,
    }
}

/// The time zone of output; UTC until it is set.
static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Switches to the local time zone.
pub(crate) fn use_local_time() {
    let _ = ZONE.set(TimeZone::system());
}

/// Formats a time to the second, with its zone.
pub(crate) fn time(at: Timestamp) -> String {
    time_in(at, ZONE.get())
}

/// * `zone` - `None` for UTC.
fn time_in(at: Timestamp, zone: Option<&TimeZone>) -> String {
    let Ok(instant) = Instant::from_millisecond(at.as_millis()) else {
        return "?".into();
    };
    match zone {
        None => instant.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Some(zone) => {
            let local = instant.to_zoned_datetime(zone.clone());
            local.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
        }
    }
}

/// Returns `on` or `off`.
pub(crate) const fn switch(enabled: bool) -> &'static str {
    if enabled { "on" } else { "off" }
}

/// Returns `on`, or `off` with the reason.
pub(crate) fn endpoint_switch(endpoint: &Endpoint) -> String {
    match &endpoint.opted_out {
        Some(reason) => format!("off: {}", one_line(reason)),
        None => switch(endpoint.enabled).to_owned(),
    }
}

/// Formats a count, such as `1 contact`, `2 contacts`, `2 deliveries` or `2 gateways`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == 1 => format!("1 {noun}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_times_with_their_zone() {
        let summer = Timestamp::from_millis(1_751_371_200_000);
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(time_in(summer, None), "2025-07-01 12:00:00Z");
        assert_eq!(time_in(summer, Some(&zone)), "2025-07-01 14:00:00 CEST");
    }
}
