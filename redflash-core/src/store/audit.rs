//! Who did what.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use async_trait::async_trait;

use super::StoreError;
use crate::{Actor, AuditEntry, AuditEntryId, Slug, Timestamp};

/// Which changes a query wants, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those made to this, such as `contact/ann`.
    pub subject: Option<String>,
    /// Only those made by this actor.
    pub by: Option<Actor>,
    /// Only those made before this one: the last of the page before.
    pub before: Option<AuditEntryId>,
    /// At most so many.
    pub limit: NonZeroU32,
}

/// Who did what: changes of the directory are recorded with [the edit](super::Directory::edit) that
/// makes them, everything else here.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Records changes.
    async fn note(&self, changes: &[AuditEntry]) -> Result<(), StoreError>;

    /// The changes that a filter lets through, newest first.
    async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError>;

    /// Removes the oldest changes made before a time, at most `limit`. Returns how many.
    async fn prune_audit(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError>;

    /// Notes when keys were used. A time earlier than the one that is known changes nothing, nor does
    /// a key that is gone.
    async fn note_key_uses(&self, uses: &[(Slug, Timestamp)]) -> Result<(), StoreError>;

    /// When each key was last used, for those that were.
    async fn key_uses(&self) -> Result<BTreeMap<Slug, Timestamp>, StoreError>;
}
