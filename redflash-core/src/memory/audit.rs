//! The audit log in memory.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::clock::Timestamp;
use crate::model::{AuditEntry, Slug};
use crate::store::{Audit, AuditFilter, StoreError};

#[async_trait]
impl Audit for MemoryStore {
    async fn record_audit(&self, changes: &[AuditEntry]) -> Result<(), StoreError> {
        self.state().record_audit(changes);
        Ok(())
    }

    async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.state();
        let wanted = |change: &&AuditEntry| {
            filter.before.is_none_or(|before| change.id < before)
                && (filter.subject.as_ref()).is_none_or(|subject| change.subject == *subject)
                && (filter.by.as_ref()).is_none_or(|by| change.by == *by)
        };
        let newest_first = state.audit_entries.values().rev().filter(wanted);
        Ok(newest_first
            .take(filter.limit.get() as usize)
            .cloned()
            .collect())
    }

    async fn prune_audit(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError> {
        let mut state = self.state();
        let old = state
            .audit_entries
            .values()
            .filter(|change| change.at < before);
        let old: Vec<_> = old
            .map(|change| change.id)
            .take(limit.get() as usize)
            .collect();
        for id in &old {
            state.audit_entries.remove(id);
        }
        Ok(old.len() as u64)
    }

    async fn record_key_usage(&self, uses: &[(Slug, Timestamp)]) -> Result<(), StoreError> {
        let mut state = self.state();
        for (key, at) in uses {
            if state.api_keys.contains_key(key) {
                let known = state.key_uses.entry(key.clone()).or_insert(*at);
                *known = (*known).max(*at);
            }
        }
        Ok(())
    }

    async fn key_usage(&self) -> Result<BTreeMap<Slug, Timestamp>, StoreError> {
        Ok(self.state().key_uses.clone())
    }
}

impl State {
    pub(super) fn record_audit(&mut self, changes: &[AuditEntry]) {
        let changes = changes.iter().cloned();
        self.audit_entries
            .extend(changes.map(|change| (change.id, change)));
    }
}
