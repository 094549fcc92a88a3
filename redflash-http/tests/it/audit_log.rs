//! The audit log as text.

use std::num::NonZeroU32;

use redflash_core::model::AuditEntry;
use redflash_core::store::{Audit, AuditFilter, MemoryStore};

/// Returns all entries, newest first: actor, action, subject and detail.
pub(crate) async fn audit_log(store: &MemoryStore) -> Vec<String> {
    let all = AuditFilter {
        subject: None,
        by: None,
        before: None,
        limit: NonZeroU32::new(100).unwrap(),
    };
    let line = |change: AuditEntry| {
        let (by, action) = (change.by, change.action);
        let line = format!("{by} {action} {} {}", change.subject, change.detail);
        line.trim_end().to_owned()
    };
    let changes = store.audit_entries(&all).await.unwrap();
    changes.into_iter().map(line).collect()
}
