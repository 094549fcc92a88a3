//! The audit log, on SQLite.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::model::{AuditEntry, Slug};
use redflash_core::store::{Audit, AuditFilter, StoreError};

use super::SqliteStore;
use super::query::audit;
use super::run::now as run;

#[async_trait]
impl Audit for SqliteStore {
    async fn record_audit(&self, changes: &[AuditEntry]) -> Result<(), StoreError> {
        let changes = changes.to_vec();
        self.writer
            .write(move |conn| run(audit::record_audit(conn, &changes)))
            .await
    }

    async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let filter = filter.clone();
        self.readers
            .long(move |conn| run(audit::changes(conn, &filter)))
            .await
    }

    async fn prune_audit(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError> {
        self.writer
            .write(move |conn| run(audit::prune(conn, before, limit)))
            .await
    }

    async fn record_key_usage(&self, uses: &[(Slug, Timestamp)]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        self.writer
            .write(move |conn| run(audit::record_key_usage(conn, &uses)))
            .await
    }

    async fn key_usage(&self) -> Result<BTreeMap<Slug, Timestamp>, StoreError> {
        self.readers.read(|conn| run(audit::key_usage(conn)))
    }
}
