//! The deliveries of a notification, one card each: `{{> partials/deliveries page.deliveries}}`.

use std::collections::HashMap;

use redflash_core::delivery::{Attempt, AttemptOutcome, Delivery, DeliveryState};
use redflash_core::model::Slug;
use redflash_core::plan::Notification;
use redflash_core::store::DeliveryRecord;
use serde::Serialize;

use crate::admin::log::state_counts::{StateCount, urgency};
use crate::admin::ui::partials::{Link, Step};
use crate::admin::urls;

/// Maximum number of deliveries shown; those that need attention come first.
const MAX_SHOWN: usize = 100;

/// Maximum number of deliveries that are shown expanded.
const MAX_EXPANDED: usize = 3;

/// The deliveries of a notification.
#[derive(Serialize)]
pub(crate) struct Deliveries {
    state_counts: Vec<StateCount>,
    /// True if a delivery is not final yet.
    pub(crate) open: bool,
    /// URL of the notification.
    url: String,
    cards: Vec<Card>,
    /// Number of deliveries that are not shown.
    more: usize,
    /// Number of deliveries that the visitor may resend.
    resendable: Option<usize>,
}

#[derive(Serialize)]
struct Card {
    id: String,
    contact: Link,
    via: Vec<String>,
    channel: String,
    address: String,
    state: &'static str,
    gateway: Option<Link>,
    message_id: Option<String>,
    parts: Option<u32>,
    price: Option<String>,
    refused_by: String,
    steps: Vec<Step>,
    /// True if its history is expanded.
    is_open: bool,
    /// True if the visitor may resend it.
    resendable: bool,
}

impl Deliveries {
    /// * `may_resend` - true if the visitor may resend deliveries.
    pub(crate) fn of(
        notification: &Notification,
        records: &[DeliveryRecord],
        may_resend: bool,
    ) -> Self {
        let names = notification.plan.recipients.iter();
        let names = names.map(|one| (&one.contact, one.name.as_str()));
        let names: HashMap<_, _> = names.collect();
        let mut shown: Vec<_> = records.iter().collect();
        shown.sort_by_key(|record| urgency(record.delivery.state));
        let expanded = records.len() <= MAX_EXPANDED;
        let card = |record: &&DeliveryRecord| {
            let resendable = may_resend && ended_badly(record.delivery.state);
            Card {
                is_open: expanded || ended_badly(record.delivery.state),
                ..Card::of(record, &names, resendable)
            }
        };
        let states = || records.iter().map(|record| record.delivery.state);
        let resendable = states().filter(|state| ended_badly(*state)).count();
        Self {
            state_counts: StateCount::of(records.iter().map(|record| &record.delivery)),
            open: records.len() < notification.plan.queued()
                || states().any(|state| !state.is_final()),
            url: urls::notification(notification.id),
            cards: shown.iter().take(MAX_SHOWN).map(card).collect(),
            more: records.len().saturating_sub(MAX_SHOWN),
            resendable: (may_resend && resendable > 0).then_some(resendable),
        }
    }
}

impl Card {
    fn of(record: &DeliveryRecord, names: &HashMap<&Slug, &str>, resendable: bool) -> Self {
        let delivery = &record.delivery;
        let name = names.get(&delivery.contact);
        let refused_by: Vec<_> = delivery.refused_by.iter().map(Slug::as_str).collect();
        Self {
            id: delivery.id.to_string(),
            contact: Link {
                url: urls::contact(&delivery.contact),
                label: name.map_or_else(|| delivery.contact.to_string(), |name| (*name).into()),
            },
            via: delivery.via.iter().map(ToString::to_string).collect(),
            channel: delivery.channel.to_string(),
            address: delivery.address.to_string(),
            state: delivery.state.as_str(),
            gateway: delivery.gateway.as_ref().map(|gateway| Link {
                url: urls::gateway(gateway),
                label: gateway.to_string(),
            }),
            message_id: delivery.message_id.clone(),
            parts: delivery.parts.filter(|parts| *parts > 1),
            price: delivery.price.as_ref().map(ToString::to_string),
            refused_by: refused_by.join(", "),
            steps: steps(record),
            is_open: false,
            resendable,
        }
    }
}

const fn ended_badly(state: DeliveryState) -> bool {
    matches!(
        state,
        DeliveryState::Failed
            | DeliveryState::Cancelled
            | DeliveryState::Suppressed
            | DeliveryState::Quarantined
    )
}

/// Returns the attempts of a delivery, and the step after them.
fn steps(record: &DeliveryRecord) -> Vec<Step> {
    let attempts = record.attempts_made.iter().map(attempt);
    let last = record.attempts_made.last();
    attempts
        .chain(current_step(&record.delivery, last))
        .collect()
}

fn attempt(attempt: &Attempt) -> Step {
    let (state, result) = match attempt.outcome {
        AttemptOutcome::Ok => (Some("sent"), "Accepted"),
        AttemptOutcome::Retry => (None, "Temporary failure"),
        AttemptOutcome::Unknown => (None, "Outcome unknown"),
        AttemptOutcome::Permanent => (Some("failed"), "Refused"),
        _ => (None, attempt.outcome.as_str()),
    };
    let through = match &attempt.gateway {
        Some(gateway) => format!(" via {gateway}"),
        None => String::new(),
    };
    let took = attempt.ended_at.since(attempt.started_at).as_millis();
    let mut text = format!("{result} after {took} ms");
    if !attempt.detail.is_empty() {
        text = format!("{text}: {}", attempt.detail);
    }
    if attempt.may_repeat {
        text.push_str(". Possible duplicate: an earlier attempt may have arrived.");
    }
    Step {
        at: attempt.ended_at,
        state,
        title: format!("Attempt {}{through}", attempt.number),
        text: Some(text),
    }
}

/// Returns the event after the last attempt, or the next one.
fn current_step(delivery: &Delivery, last: Option<&Attempt>) -> Option<Step> {
    let ended = last.map(|attempt| attempt.ended_at);
    let is_later = ended.is_none_or(|ended| delivery.due_at > ended);
    let outcome = last.map(|attempt| attempt.outcome);
    let title = match delivery.state {
        DeliveryState::Queued if last.is_some() => "Next attempt",
        DeliveryState::Queued => "Queued",
        DeliveryState::Sending => "Sending",
        DeliveryState::Sent => return receipt_due(delivery),
        DeliveryState::Delivered if is_later => "Receipt: delivered",
        DeliveryState::Delivered => "Delivered",
        DeliveryState::Failed if outcome == Some(AttemptOutcome::Permanent) => return None,
        DeliveryState::Failed if outcome == Some(AttemptOutcome::Ok) => "Receipt: not delivered",
        DeliveryState::Failed => "Given up",
        DeliveryState::Cancelled => "Cancelled by a switch",
        DeliveryState::Suppressed => "Not sent: budget exhausted",
        DeliveryState::Quarantined => "Quarantined until resent",
        _ => delivery.state.as_str(),
    };
    Some(Step {
        at: delivery.due_at,
        state: Some(delivery.state.as_str()),
        title: title.into(),
        text: detail(delivery, last),
    })
}

/// Returns the wait for a receipt, if another gateway takes over without one.
fn receipt_due(delivery: &Delivery) -> Option<Step> {
    let part = !delivery.parts_delivered.is_empty();
    let (at, title) = match delivery.receipt_due_at {
        Some(at) => (at, "Tries another gateway unless a receipt arrives"),
        None if part => (delivery.due_at, "Receipts"),
        None => return None,
    };
    Some(Step {
        at,
        state: None,
        title: title.into(),
        text: part.then(|| delivery.detail.clone()),
    })
}

/// Returns the reason for the state, unless the last attempt has the same.
fn detail(delivery: &Delivery, last: Option<&Attempt>) -> Option<String> {
    let is_known = last.is_some_and(|attempt| attempt.detail == delivery.detail);
    (!delivery.detail.is_empty() && !is_known).then(|| delivery.detail.clone())
}
