//! The audit log, on Postgres.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use async_trait::async_trait;
use diesel_async::AsyncConnection;
use redflash_core::clock::Timestamp;
use redflash_core::model::{AuditEntry, Slug};
use redflash_core::store::{Audit, AuditFilter, StoreError};

use super::PostgresStore;
use super::query::audit;
use super::run::{ask, run, transact};

#[async_trait]
impl Audit for PostgresStore {
    async fn record_audit(&self, changes: &[AuditEntry]) -> Result<(), StoreError> {
        transact!(self, |conn| audit::record_audit(conn, changes).await)
    }

    async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        ask!(self, |conn| audit::changes(conn, filter))
    }

    async fn prune_audit(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError> {
        transact!(self, |conn| audit::prune(conn, before, limit).await)
    }

    /// Each key by itself, so that nodes that note the same keys do not wait for each other.
    async fn record_key_usage(&self, uses: &[(Slug, Timestamp)]) -> Result<(), StoreError> {
        run!(wrote, self, |conn| audit::record_key_usage(conn, uses))
    }

    async fn key_usage(&self) -> Result<BTreeMap<Slug, Timestamp>, StoreError> {
        ask!(self, |conn| audit::key_usage(conn))
    }
}
