//! What became of a notification: `{{> partials/deliveries page.deliveries}}`, a card a delivery.

use std::collections::HashMap;

use redflash_core::store::DeliveryRecord;
use redflash_core::{
    Attempt, AttemptOutcome, Delivery, DeliveryId, DeliveryState, Notification, Slug,
};
use serde::Serialize;

use crate::admin::log::list;
use crate::admin::log::state_counts::Tally;
use crate::admin::ui::partials::{Link, Step};

/// How many deliveries are shown, those first that somebody has to look at.
const SHOWN: usize = 100;

/// So few deliveries are shown with all that happened to them.
const FEW: usize = 3;

/// What became of a notification.
#[derive(Serialize)]
pub(crate) struct Deliveries {
    tally: Vec<Tally>,
    /// Whether something is still to happen.
    pub(crate) open: bool,
    /// Where this page is.
    url: String,
    cards: Vec<Card>,
    /// How many more there are.
    more: usize,
    /// How many can be sent again, by who may.
    badly: Option<usize>,
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
    /// Whether what happened to it is seen at once.
    is_open: bool,
    /// Whether it can be sent again, by who may.
    badly: bool,
}

impl Deliveries {
    /// * `may_resend` - whether who looks may send again.
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
        let few = records.len() <= FEW;
        let card = |record: &&DeliveryRecord| {
            let badly = may_resend && ended_badly(record.delivery.state);
            Card {
                is_open: few || ended_badly(record.delivery.state),
                ..Card::of(record, &names, badly)
            }
        };
        let states = || records.iter().map(|record| record.delivery.state);
        let badly = states().filter(|state| ended_badly(*state)).count();
        Self {
            tally: Tally::of(records.iter().map(|record| &record.delivery)),
            open: records.len() < notification.plan.queued()
                || states().any(|state| !state.is_final()),
            url: list::url(notification.id),
            cards: shown.iter().take(SHOWN).map(card).collect(),
            more: records.len().saturating_sub(SHOWN),
            badly: (may_resend && badly > 0).then_some(badly),
        }
    }
}

impl Card {
    fn of(record: &DeliveryRecord, names: &HashMap<&Slug, &str>, badly: bool) -> Self {
        let delivery = &record.delivery;
        let name = names.get(&delivery.contact);
        let refused_by: Vec<_> = delivery.refused_by.iter().map(Slug::as_str).collect();
        Self {
            id: delivery.id.to_string(),
            contact: Link {
                url: format!("/admin/contacts/{}", delivery.contact),
                label: name.map_or_else(|| delivery.contact.to_string(), |name| (*name).into()),
            },
            via: delivery.via.iter().map(ToString::to_string).collect(),
            channel: delivery.channel.to_string(),
            address: delivery.address.to_string(),
            state: delivery.state.as_str(),
            gateway: delivery.gateway.as_ref().map(|gateway| Link {
                url: format!("/admin/gateways/{gateway}"),
                label: gateway.to_string(),
            }),
            message_id: delivery.message_id.clone(),
            parts: delivery.parts.filter(|parts| *parts > 1),
            price: delivery.price.as_ref().map(ToString::to_string),
            refused_by: refused_by.join(", "),
            steps: steps(record),
            is_open: false,
            badly,
        }
    }
}

/// Where a delivery is shown.
pub(crate) fn url(id: DeliveryId) -> String {
    format!("{}#d-{id}", list::url(id.notification()))
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

/// Least for what somebody has to look at.
pub(crate) const fn urgency(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Failed | DeliveryState::Quarantined | DeliveryState::Suppressed => 0,
        DeliveryState::Queued | DeliveryState::Sending => 1,
        DeliveryState::Cancelled => 2,
        DeliveryState::Sent | DeliveryState::Delivered => 3,
    }
}

/// The attempts of a delivery, and what stands after them.
fn steps(record: &DeliveryRecord) -> Vec<Step> {
    let attempts = record.attempts_made.iter().map(attempt);
    let last = record.attempts_made.last();
    attempts.chain(standing(&record.delivery, last)).collect()
}

fn attempt(attempt: &Attempt) -> Step {
    let (state, said) = match attempt.outcome {
        AttemptOutcome::Ok => (Some("sent"), "Accepted"),
        AttemptOutcome::Retry => (None, "Temporary failure"),
        AttemptOutcome::Unknown => (None, "Outcome unknown"),
        AttemptOutcome::Permanent => (Some("failed"), "Refused"),
    };
    let through = match &attempt.gateway {
        Some(gateway) => format!(" via {gateway}"),
        None => String::new(),
    };
    let took = attempt.ended_at.since(attempt.started_at).as_millis();
    let mut text = format!("{said} after {took} ms");
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

/// What has happened since the last attempt, or is to happen next.
fn standing(delivery: &Delivery, last: Option<&Attempt>) -> Option<Step> {
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
    };
    Some(Step {
        at: delivery.due_at,
        state: Some(delivery.state.as_str()),
        title: title.into(),
        text: detail(delivery, last),
    })
}

/// Which receipt is waited for, where another gateway takes over without one.
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

/// Why it stands where it stands, unless the last attempt says so already.
fn detail(delivery: &Delivery, last: Option<&Attempt>) -> Option<String> {
    let is_said = last.is_some_and(|attempt| attempt.detail == delivery.detail);
    (!delivery.detail.is_empty() && !is_said).then(|| delivery.detail.clone())
}
