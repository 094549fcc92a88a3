//! Rows of the audit log.

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::model::AuditEntry;

use super::{parse, storable};
use crate::error::QueryError;
use crate::schema::changes;

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = changes)]
pub(crate) struct ChangeRow {
    id: String,
    made_at: i64,
    actor: String,
    action: String,
    subject: String,
    detail: String,
}

impl ChangeRow {
    pub(crate) fn new(change: &AuditEntry) -> Self {
        Self {
            id: change.id.to_string(),
            made_at: change.at.as_millis(),
            actor: storable(&change.by.to_string()),
            action: change.action.to_string(),
            subject: storable(&change.subject),
            detail: storable(&change.detail),
        }
    }

    pub(crate) fn into_change(self) -> Result<AuditEntry, QueryError> {
        Ok(AuditEntry {
            id: parse(&self.id, "changes", "id", &self.id)?,
            at: Timestamp::from_millis(self.made_at),
            by: parse(&self.actor, "changes", "actor", &self.id)?,
            action: parse(&self.action, "changes", "action", &self.id)?,
            subject: self.subject,
            detail: self.detail,
        })
    }
}
