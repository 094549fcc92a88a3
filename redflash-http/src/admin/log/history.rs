//! Recent notifications of a contact, a target or a state.

use std::num::NonZeroU32;

use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{Delivery, DeliveryState};
use redflash_core::model::{Slug, Target};
use redflash_core::plan::Notification;
use redflash_core::store::{LogFilter, StoreError};
use serde::Serialize;

use crate::admin::log::state_counts::StateCount;
use crate::admin::urls;

/// Maximum number of notifications.
const MAX_SHOWN: NonZeroU32 = NonZeroU32::new(8).expect("not zero");

/// A notification with the states of its deliveries: `{{> partials/history page.recent}}` takes a
/// list of them.
#[derive(Serialize)]
pub(crate) struct RecentNotification {
    url: String,
    at: Timestamp,
    /// The beginning of the message.
    subject: String,
    state_counts: Vec<StateCount>,
}

/// Returns the recent notifications with a delivery to a contact.
pub(crate) async fn of_contact(
    engine: &Engine,
    contact: &Slug,
) -> Result<Vec<RecentNotification>, StoreError> {
    let filter = LogFilter {
        contact: Some(contact.clone()),
        ..LogFilter::newest(MAX_SHOWN)
    };
    matching(engine, &filter, |delivery| delivery.contact == *contact).await
}

/// Returns the recent notifications of a group or an event.
pub(crate) async fn of_target(
    engine: &Engine,
    target: Target,
) -> Result<Vec<RecentNotification>, StoreError> {
    let filter = LogFilter {
        target: Some(target),
        ..LogFilter::newest(MAX_SHOWN)
    };
    matching(engine, &filter, |_| true).await
}

/// Returns the newest notifications.
pub(crate) async fn newest(
    engine: &Engine,
    limit: NonZeroU32,
) -> Result<Vec<RecentNotification>, StoreError> {
    matching(engine, &LogFilter::newest(limit), |_| true).await
}

/// Returns the newest notifications since a time that have a delivery in one of the states.
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
        all.extend(matching(engine, &filter, |_| true).await?);
    }
    // A notification's id begins with its time.
    all.sort_by(|one, other| other.url.cmp(&one.url));
    all.dedup_by(|one, other| one.url == other.url);
    all.truncate(limit.get() as usize);
    Ok(all)
}

/// Returns the notifications that match a filter.
///
/// * `is_counted` - selects the deliveries that are counted.
pub(crate) async fn matching(
    engine: &Engine,
    filter: &LogFilter,
    is_counted: impl Fn(&Delivery) -> bool,
) -> Result<Vec<RecentNotification>, StoreError> {
    let page = engine.store().log(filter).await?;
    let row = |(notification, deliveries): &(Notification, Vec<Delivery>)| RecentNotification {
        url: urls::notification(notification.id),
        at: notification.raised_at,
        subject: notification.plan.message.subject.clone(),
        state_counts: StateCount::of(deliveries.iter().filter(|delivery| is_counted(delivery))),
    };
    Ok(page.entries.iter().map(row).collect())
}
