//! `GET /api/v1/audit`: the audit log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use redflash_core::clock::Timestamp;
use redflash_core::model::{Action, Actor, AuditEntryId};
use redflash_core::store::AuditFilter;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::openapi::value;
use crate::api::page::{Listed, Page, truncate};
use crate::api::problem::Problem;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let auth = Auth::ApiKey(Permission::Admin);
    let entries = Operation::new(
        "listAuditEntries",
        "Audit log",
        "List entries of the audit log, newest first",
    )
    .parameters(&["subject", "by", "limit", "cursor"])
    .ok::<Page<AuditEntry>>();
    vec![Route::new(Method::GET, "/api/v1/audit", auth, list).described(entries)]
}

/// An entry of the audit log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AuditEntry {
    #[schemars(with = "value::Id")]
    id: AuditEntryId,
    #[schemars(with = "value::Time")]
    at: Timestamp,
    #[schemars(with = "value::Actor")]
    by: Actor,
    #[schemars(with = "value::Action")]
    action: Action,
    /// Resource that was changed.
    #[schemars(extend("examples" = ["contact/ann"]))]
    subject: String,
    /// Summary of the change, for people.
    detail: String,
}

impl Listed for AuditEntry {
    const LIST: &'static str = "entries";
    const PAGE: &'static str = "AuditPage";
}

impl From<redflash_core::model::AuditEntry> for AuditEntry {
    fn from(entry: redflash_core::model::AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            by: entry.by,
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail,
        }
    }
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Page<AuditEntry>, Problem> {
    let limit = query.limit()?;
    let filter = AuditFilter {
        subject: query.text("subject").map(str::to_owned),
        by: query.read("by")?,
        before: query.read("cursor")?,
        limit: limit.saturating_add(1),
    };
    let mut entries = app.engine.store().audit_entries(&filter).await?;
    let next = truncate(&mut entries, limit, |entry| entry.id);
    let items = entries.into_iter().map(Into::into).collect();
    Ok(Page { items, next })
}
