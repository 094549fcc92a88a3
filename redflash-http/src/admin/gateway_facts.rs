//! What is configured of a gateway, without anything secret.

use std::time::Duration;

use redflash_core::{Authenticity, Callback, Gateway, OnUnknown, Timestamp};
use serde::Serialize;

use crate::HttpConfig;

/// Something that is configured.
#[derive(Serialize)]
pub(super) struct Fact {
    name: &'static str,
    value: String,
}

/// The addresses that a gateway is used for.
pub(super) fn used_for(gateway: &Gateway) -> String {
    if gateway.prefixes.is_empty() {
        return "all addresses".into();
    }
    gateway.prefixes.join(", ")
}

/// Everything that is configured of a gateway, and that it can do.
pub(super) fn of(gateway: &Gateway, config: &HttpConfig) -> Vec<Fact> {
    let limits = &gateway.limits;
    let unknown = match gateway.on_unknown {
        OnUnknown::Resend => "sent again, and may arrive twice",
        OnUnknown::Hold => "set aside until somebody sends it again",
    };
    let facts = [
        ("Used for", used_for(gateway)),
        ("Can", abilities(gateway).join(", ")),
        ("At once", limits.concurrency.to_string()),
        (
            "A second",
            limits
                .per_second
                .map(|rate| rate.to_string())
                .unwrap_or_default(),
        ),
        ("Budget", budget(gateway)),
        ("Senders", gateway.senders.join(", ")),
        ("Gives up a request after", span(limits.deadline)),
        (
            "Gives up a message after",
            span(gateway.schedule.give_up_after()),
        ),
        ("Of unknown outcome", unknown.into()),
        (
            "Waits for a receipt",
            gateway.receipt_timeout.map(span).unwrap_or_default(),
        ),
        ("Receipts come to", callback(gateway, config, "ack")),
        ("Answers come to", callback(gateway, config, "inbound")),
    ];
    let facts = facts.map(|(name, value)| Fact { name, value });
    facts
        .into_iter()
        .filter(|fact| !fact.value.is_empty())
        .collect()
}

fn abilities(gateway: &Gateway) -> Vec<&'static str> {
    let can = gateway.channel.capabilities();
    let all = [
        (can.receipts, "receipts"),
        (can.inbound, "answers"),
        (can.sender, "senders"),
        (can.subject, "subjects"),
        (can.batch > 1, "batches"),
        (can.idempotent, "knows repeats"),
    ];
    let able = all.into_iter().filter(|(can, _)| *can);
    able.map(|(_, name)| name).collect()
}

fn budget(gateway: &Gateway) -> String {
    let budget = &gateway.budget;
    let bounds = [
        (budget.per_hour, "an hour"),
        (budget.per_day, "a day"),
        (budget.address_per_hour, "an hour to one address"),
        (budget.address_per_day, "a day to one address"),
    ];
    let bounds = bounds.into_iter();
    let bounds = bounds.filter_map(|(bound, each)| Some(format!("{} {each}", bound?)));
    bounds.collect::<Vec<_>>().join(", ")
}

/// The URL of a gateway's callbacks without its secret, or why it has none.
fn callback(gateway: &Gateway, config: &HttpConfig, path: &str) -> String {
    let can = gateway.channel.capabilities();
    if !(if path == "ack" {
        can.receipts
    } else {
        can.inbound
    }) {
        return String::new();
    }
    let nothing = Callback {
        method: "POST",
        url: "",
        fields: &[],
        headers: &[],
        body: &[],
    };
    let signed = gateway.channel.authenticate(&nothing, Timestamp::default());
    let is_signed = !matches!(signed, Ok(Authenticity::Unsigned));
    let secrets = config.callback_secrets.get(&gateway.name);
    let has_secret = secrets.is_some_and(|secrets| !secrets.is_empty());
    let base = config.public_url.as_deref().unwrap_or_default();
    let url = format!("{}/{path}/{}", base.trim_end_matches('/'), gateway.name);
    match (is_signed, has_secret) {
        (true, _) => format!("{url} (signed)"),
        (false, true) => format!("{url}/<callback_secret>"),
        (false, false) => "nowhere: the gateway has no callback_secret".into(),
    }
}

/// A length of time, as `90 s`, `10 min` or `6 h`.
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
    fn a_length_of_time_is_told_in_the_unit_that_fits() {
        for (seconds, text) in [(0, "0 ms"), (90, "90 s"), (600, "10 min"), (21_600, "6 h")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
