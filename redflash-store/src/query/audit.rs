//! The audit log, and the last use of keys.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use diesel::prelude::{ExpressionMethods, IntoSql, QueryDsl, SelectableHelper};
use diesel::query_dsl::methods;
use diesel::sql_types::BigInt;
use diesel::upsert::excluded;
use redflash_core::clock::Timestamp;
use redflash_core::model::{AuditEntry, Slug};
use redflash_core::store::AuditFilter;

use super::{Conn, RunQueryDsl};
use crate::error::QueryError;
use crate::row::change::ChangeRow;
use crate::row::{parse, storable};
use crate::schema::{api_keys, changes, key_uses};

pub(crate) async fn record_audit(conn: &mut Conn, made: &[AuditEntry]) -> Result<(), QueryError> {
    for change in made {
        diesel::insert_into(changes::table)
            .values(&ChangeRow::new(change))
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
    }
    Ok(())
}

pub(crate) async fn changes(
    conn: &mut Conn,
    filter: &AuditFilter,
) -> Result<Vec<AuditEntry>, QueryError> {
    let mut query = changes::table
        .order(changes::id.desc())
        .limit(i64::from(filter.limit.get()))
        .select(ChangeRow::as_select())
        .into_boxed();
    if let Some(before) = filter.before {
        query = query.filter(changes::id.lt(before.to_string()));
    }
    if let Some(subject) = &filter.subject {
        query = query.filter(changes::subject.eq(storable(subject)));
    }
    if let Some(by) = &filter.by {
        query = query.filter(changes::actor.eq(storable(&by.to_string())));
    }
    let rows: Vec<ChangeRow> = query.load(conn).await?;
    rows.into_iter().map(ChangeRow::into_change).collect()
}

/// Removes the oldest changes made before a time.
pub(crate) async fn prune(
    conn: &mut Conn,
    before: Timestamp,
    limit: NonZeroU32,
) -> Result<u64, QueryError> {
    // Ids are ordered by time, so the oldest are the first of the primary key.
    let first: Vec<(String, i64)> = changes::table
        .order(changes::id)
        .limit(i64::from(limit.get()))
        .select((changes::id, changes::made_at))
        .load(conn)
        .await?;
    let old = first
        .into_iter()
        .filter(|(_, made_at)| *made_at < before.as_millis())
        .map(|(id, _)| id);
    let old: Vec<_> = old.collect();
    let removed = diesel::delete(changes::table.filter(changes::id.eq_any(old)));
    Ok(removed.execute(conn).await? as u64)
}

/// Notes when keys were used, as far as they are there.
pub(crate) async fn record_key_usage(
    conn: &mut Conn,
    uses: &[(Slug, Timestamp)],
) -> Result<(), QueryError> {
    for (key, at) in uses {
        let known = api_keys::table
            .filter(api_keys::slug.eq(key.as_str()))
            .select((api_keys::slug, at.as_millis().into_sql::<BigInt>()));
        let noted = diesel::insert_into(key_uses::table)
            .values(known)
            .into_columns((key_uses::key, key_uses::used_at))
            .on_conflict(key_uses::key)
            .do_update()
            .set(key_uses::used_at.eq(excluded(key_uses::used_at)));
        let is_later = key_uses::used_at.lt(excluded(key_uses::used_at));
        let noted = methods::FilterDsl::filter(noted, is_later);
        noted.execute(conn).await?;
    }
    Ok(())
}

pub(crate) async fn key_usage(conn: &mut Conn) -> Result<BTreeMap<Slug, Timestamp>, QueryError> {
    let rows: Vec<(String, i64)> = key_uses::table
        .select((key_uses::key, key_uses::used_at))
        .load(conn)
        .await?;
    rows.into_iter()
        .map(|(key, at)| {
            let at = Timestamp::from_millis(at);
            Ok((parse(&key, "key_uses", "key", &key)?, at))
        })
        .collect()
}
