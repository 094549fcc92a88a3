//! What was sent lately to a contact, or for a group or an event.

use std::num::NonZeroU32;

use redflash_core::store::LogFilter;
use redflash_core::{
    Delivery, DeliveryState, Engine, Notification, Slug, StoreError, Target, Timestamp,
};
use serde::Serialize;

use crate::admin::log::state_counts::StateCount;
use crate::admin::urls;

/// How many notifications are shown.
const SHOWN: NonZeroU32 = NonZeroU32::new(8).expect("not zero");

/// A notification, and what became of it: `{{> partials/history page.recent}}` takes a list of them.
#[derive(Serialize)]
pub(crate) struct RecentNotification {
    url: String,
    at: Timestamp,
    /// The first words.
    subject: String,
    state_counts: Vec<StateCount>,
}

/// What a contact was told lately, whatever it was raised at.
pub(crate) async fn of_contact(
    engine: &Engine,
    contact: &Slug,
) -> Result<Vec<RecentNotification>, StoreError> {
    let filter = LogFilter {
        contact: Some(contact.clone()),
        ..LogFilter::newest(SHOWN)
    };
    sent(engine, &filter, |delivery| delivery.contact == *contact).await
}

/// What was raised at a group or an event lately.
pub(crate) async fn of_target(
    engine: &Engine,
    target: Target,
) -> Result<Vec<RecentNotification>, StoreError> {
    let filter = LogFilter {
        target: Some(target),
        ..LogFilter::newest(SHOWN)
    };
    sent(engine, &filter, |_| true).await
}

/// What was raised lately, whoever is told.
pub(crate) async fn newest(
    engine: &Engine,
    limit: NonZeroU32,
) -> Result<Vec<RecentNotification>, StoreError> {
    sent(engine, &LogFilter::newest(limit), |_| true).await
}

/// What was raised since a time and has a delivery in one of these states, newest first.
pub(crate) async fn in_states(
    engine: &Engine,
    states: &[DeliveryState],
    since: Timestamp,
    limit: NonZeroU32,
) -> Result<Vec<RecentNotification>, StoreError> {
    let mut all = Vec::new();
    for state in states {
        let filter = LogFilter {
            state: Some(*state),
            since: Some(since),
            ..LogFilter::newest(limit)
        };
        all.extend(sent(engine, &filter, |_| true).await?);
    }
    // A notification's id begins with its time.
    all.sort_by(|one, other| other.url.cmp(&one.url));
    all.dedup_by(|one, other| one.url == other.url);
    all.truncate(limit.get() as usize);
    Ok(all)
}

/// What a filter lets through.
///
/// * `counts` - the deliveries that are shown.
pub(crate) async fn sent(
    engine: &Engine,
    filter: &LogFilter,
    counts: impl Fn(&Delivery) -> bool,
) -> Result<Vec<RecentNotification>, StoreError> {
    let page = engine.store().log(filter).await?;
    let row = |(notification, deliveries): &(Notification, Vec<Delivery>)| RecentNotification {
        url: urls::notification(notification.id),
        at: notification.raised_at,
        subject: notification.plan.message.subject.clone(),
        state_counts: StateCount::of(deliveries.iter().filter(|delivery| counts(delivery))),
    };
    Ok(page.entries.iter().map(row).collect())
}
