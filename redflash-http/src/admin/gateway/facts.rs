//! The configuration of a gateway, without secrets.

use std::time::Duration;

use redflash_core::gateway::{Gateway, OnUnknown};
use serde::Serialize;

use crate::HttpConfig;

/// A setting and its value.
#[derive(Serialize)]
pub(crate) struct Fact {
    name: &'static str,
    value: String,
}

/// Returns the addresses that a gateway is used for.
pub(crate) fn prefixes(gateway: &Gateway) -> String {
    if gateway.prefixes.is_empty() {
        return "all addresses".into();
    }
    gateway.prefixes.join(", ")
}

/// Returns the settings and the abilities of a gateway.
pub(crate) fn of(gateway: &Gateway, config: &HttpConfig) -> Vec<Fact> {
    let limits = &gateway.limits;
    let abilities: Vec<_> = gateway.abilities().collect();
    let callbacks = config.callbacks(&gateway.name);
    let (receipts, replies) = (callbacks.receipts(gateway), callbacks.replies(gateway));
    let unknown = match gateway.on_unknown {
        OnUnknown::Resend => "resend; the message may arrive twice",
        OnUnknown::Hold => "quarantine until resent",
    };
    let facts = [
        ("Used for", prefixes(gateway)),
        ("Capabilities", abilities.join(", ")),
        ("Concurrency", limits.concurrency.to_string()),
        (
            "Messages per second",
            limits
                .per_second
                .map(|rate| rate.to_string())
                .unwrap_or_default(),
        ),
        ("Budget", gateway.budget.to_string()),
        ("Senders", gateway.senders.join(", ")),
        ("Request timeout", span(limits.deadline)),
        ("Gives up after", span(gateway.schedule.give_up_after())),
        ("Unknown outcome", unknown.into()),
        (
            "Receipt timeout",
            gateway.receipt_timeout.map(span).unwrap_or_default(),
        ),
        ("Receipt URL", receipts.unwrap_or_default()),
        ("Inbound URL", replies.unwrap_or_default()),
    ];
    let facts = facts.map(|(name, value)| Fact { name, value });
    facts
        .into_iter()
        .filter(|fact| !fact.value.is_empty())
        .collect()
}

/// Formats a duration, such as `90 s`, `10 min` or `6 h`.
fn span(length: Duration) -> String {
    match length.as_secs() {
        0 => format!("{} ms", length.as_millis()),
        seconds if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_durations_in_the_unit_that_fits() {
        for (seconds, text) in [(0, "0 ms"), (90, "90 s"), (600, "10 min"), (21_600, "6 h")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
