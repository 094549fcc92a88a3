//! Queries and records of the audit log.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use async_trait::async_trait;

use super::StoreError;
use crate::clock::Timestamp;
use crate::model::{Actor, AuditEntry, AuditEntryId, Slug};

/// A query of the audit log, newest entries first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only entries with this subject, such as `contact/ann`.
    pub subject: Option<String>,
    /// Only entries of this actor.
    pub by: Option<Actor>,
    /// Only entries before this one: the last of the previous page.
    pub before: Option<AuditEntryId>,
    /// The maximum number of entries.
    pub limit: NonZeroU32,
}

/// The audit log: changes of the directory are recorded with [the edit](super::Directory::edit)
/// that makes them, everything else here.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Records entries.
    async fn record_audit(&self, changes: &[AuditEntry]) -> Result<(), StoreError>;

    /// Returns the entries that match a filter, newest first.
    async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError>;

    /// Removes the oldest entries from before a time, at most `limit`. Returns their number.
    async fn prune_audit(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError>;

    /// Records when keys were used. An earlier time than the recorded one changes nothing, nor does
    /// a key that was removed.
    async fn record_key_usage(&self, uses: &[(Slug, Timestamp)]) -> Result<(), StoreError>;

    /// Returns the time of last use of each key that was used.
    async fn key_usage(&self) -> Result<BTreeMap<Slug, Timestamp>, StoreError>;
}
