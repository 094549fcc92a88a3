//! Copying a store into another: how an installation outgrows its machine.

use std::fmt;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
use std::num::NonZeroU32;

use serde::Serialize;

/// The number of entries in a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Contacts.
    pub contacts: u64,
    /// Endpoints of contacts.
    pub endpoints: u64,
    /// Groups.
    pub groups: u64,
    /// Events.
    pub events: u64,
    /// API keys.
    pub keys: u64,
    /// Users.
    pub users: u64,
    /// Notifications.
    pub notifications: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Attempts.
    pub attempts: u64,
    /// Messages that people sent back.
    pub inbound: u64,
    /// Entries of the audit log.
    pub changes: u64,
}

impl Counts {
    /// Everything together.
    pub const fn total(&self) -> u64 {
        self.contacts
            + self.endpoints
            + self.groups
            + self.events
            + self.keys
            + self.users
            + self.notifications
            + self.deliveries
            + self.attempts
            + self.inbound
            + self.changes
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            contacts,
            endpoints,
            groups,
            events,
            keys,
            users,
            notifications,
            deliveries,
            attempts,
            inbound,
            changes,
        } = self;
        write!(
            f,
            "{contacts} contacts with {endpoints} endpoints, {groups} groups, {events} events, \
             {keys} keys, {users} users, {notifications} notifications with {deliveries} deliveries \
             and {attempts} attempts, {inbound} inbound messages, {changes} changes"
        )
    }
}

/// Some notifications, with all that belongs to them.
#[cfg(all(feature = "postgres", feature = "sqlite"))]
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) notifications: Vec<crate::row::notification::NotificationRow>,
    /// Ids of notifications with the number of deliveries that are still to be recorded.
    pub(crate) fan_outs: Vec<(String, u32)>,
    pub(crate) deliveries: Vec<crate::row::delivery::DeliveryRow>,
    pub(crate) attempts: Vec<crate::row::attempt::AttemptRow>,
    pub(crate) idempotency: Vec<crate::row::notification::IdempotencyRow>,
}

/// Copies everything from an SQLite file into an empty Postgres database, a few notifications at a
/// time. The counts of budgets start over, and users log in again, since sessions are not copied. What
/// is cut off half-way leaves a target that has to be emptied.
///
/// # Errors
///
/// Those of either store.
#[cfg(all(feature = "postgres", feature = "sqlite"))]
pub async fn copy(
    from: &crate::SqliteStore,
    to: &crate::PostgresStore,
) -> Result<(), redflash_core::store::StoreError> {
    use redflash_core::store::{Directory, Entry, Save};

    /// Number of notifications copied in one transaction.
    const PAGE: i64 = 200;
    let mut entries: Vec<Entry> = Vec::new();
    entries.extend(from.contacts().await?.into_iter().map(Entry::Contact));
    entries.extend(from.groups().await?.into_iter().map(Entry::Group));
    entries.extend(from.events().await?.into_iter().map(Entry::Event));
    entries.extend(from.api_keys().await?.into_iter().map(Entry::ApiKey));
    entries.extend(from.users().await?.into_iter().map(Entry::User));
    for some in entries.chunks(100) {
        to.save(some, Save::Create).await?;
    }
    let mut after = String::new();
    loop {
        let page = from.page(after, PAGE).await?;
        let Some(last) = page.notifications.last() else {
            break;
        };
        after = last.id.clone();
        to.take(&page).await?;
    }
    copy_inbound(from, to).await?;
    copy_audit(from, to).await
}

#[cfg(all(feature = "postgres", feature = "sqlite"))]
async fn copy_inbound(
    from: &crate::SqliteStore,
    to: &crate::PostgresStore,
) -> Result<(), redflash_core::store::StoreError> {
    use redflash_core::store::{InboundFilter, Inbox};

    let mut filter = InboundFilter {
        contact: None,
        before: None,
        limit: NonZeroU32::MIN.saturating_add(999),
    };
    loop {
        let page = from.inbound(&filter).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        filter.before = Some(last.id);
        for message in &page {
            to.record_inbound(message).await?;
        }
    }
}

#[cfg(all(feature = "postgres", feature = "sqlite"))]
async fn copy_audit(
    from: &crate::SqliteStore,
    to: &crate::PostgresStore,
) -> Result<(), redflash_core::store::StoreError> {
    use redflash_core::store::{Audit, AuditFilter};

    let uses: Vec<_> = from.key_usage().await?.into_iter().collect();
    to.record_key_usage(&uses).await?;
    let mut filter = AuditFilter {
        subject: None,
        by: None,
        before: None,
        limit: NonZeroU32::MIN.saturating_add(199),
    };
    loop {
        let page = from.audit_entries(&filter).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        filter.before = Some(last.id);
        to.record_audit(&page).await?;
    }
}
