//! The statements that a busy store runs all the time.
//!
//! Diesel prepares each of its own `UPDATE` statements again. These are constant texts,
//! so that each is prepared once for a connection.

use std::num::NonZeroU32;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{HeldLease, Lease, Settlement};
use redflash_core::model::WorkerId;
use redflash_core::store::{ClaimRequest, OutboxEntry};

use crate::row::delivery::{Changes, small};
use crate::row::notification::NotificationRow;
use crate::row::owner;
use crate::schema::deliveries;

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident, $sql:literal) => {
        $(#[$doc])*
        #[derive(QueryId)]
        pub(super) struct $name;

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }

        impl RunQueryDsl<SqliteConnection> for $name {}
    };
}

fixed! {
    /// Begins a job of the writer.
    Savepoint, "SAVEPOINT job"
}
fixed! {
    /// Ends a job.
    Release, "RELEASE job"
}
fixed! {
    /// Takes back what a job has done.
    Undo, "ROLLBACK TO job"
}

fixed! {
    /// Every queue with something in it, and when its first is due. Jumps from queue to queue along
    /// the index, so that the cost is the number of queues.
    DueQueues, "
WITH RECURSIVE queue (lane, raised_by, due_at) AS (
    SELECT * FROM (
        SELECT lane, raised_by, due_at FROM deliveries INDEXED BY deliveries_queued
        WHERE state = 'queued' ORDER BY lane, raised_by, due_at LIMIT 1
    )
    UNION ALL
    SELECT next.lane, next.raised_by, next.due_at FROM queue, deliveries AS next
    WHERE next.id = coalesce((
        SELECT id FROM deliveries AS later INDEXED BY deliveries_queued
        WHERE later.state = 'queued' AND later.lane = queue.lane AND later.raised_by > queue.raised_by
        ORDER BY later.raised_by, later.due_at LIMIT 1
    ), (
        SELECT id FROM deliveries AS later INDEXED BY deliveries_queued
        WHERE later.state = 'queued' AND later.lane > queue.lane
        ORDER BY later.lane, later.raised_by, later.due_at LIMIT 1
    ))
)
SELECT lane, raised_by, due_at FROM queue"
}

impl Query for DueQueues {
    type SqlType = (Text, Text, BigInt);
}

/// Records a notification, if the directory still is what it was planned from.
#[derive(Debug)]
pub(super) struct InsertNotification<'a> {
    pub(super) row: &'a NotificationRow,
    pub(super) planned_at: Option<i64>,
}

impl QueryId for InsertNotification<'_> {
    type QueryId = InsertNotification<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for InsertNotification<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO notifications (id, raised_at, raised_by, plan, arguments) SELECT ",
        );
        out.push_bind_param::<Text, _>(&self.row.id)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.row.raised_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.row.raised_by)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.row.plan)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.row.arguments)?;
        out.push_sql(" WHERE coalesce(");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.planned_at)?;
        out.push_sql(" = (SELECT version FROM directory), TRUE)");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for InsertNotification<'_> {}

/// Writes what of a delivery changes in its life.
#[derive(Debug, QueryId)]
pub(super) struct Update {
    id: String,
    changes: Changes,
}

impl Update {
    pub(super) fn of(entry: &OutboxEntry) -> Self {
        Self {
            id: entry.delivery.id.to_string(),
            changes: Changes::of(entry),
        }
    }
}

impl QueryFragment<Sqlite> for Update {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let changes = &self.changes;
        out.push_sql("UPDATE deliveries SET state = ");
        out.push_bind_param::<Text, _>(changes.state)?;
        out.push_sql(", attempts = ");
        out.push_bind_param::<Integer, _>(&changes.attempts)?;
        out.push_sql(", due_at = ");
        out.push_bind_param::<BigInt, _>(&changes.due_at)?;
        out.push_sql(", first_attempt_at = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&changes.first_attempt_at)?;
        out.push_sql(", gateway = ");
        out.push_bind_param::<Nullable<Text>, _>(&changes.gateway)?;
        out.push_sql(", message_id = ");
        out.push_bind_param::<Nullable<Text>, _>(&changes.message_id)?;
        out.push_sql(", parts = ");
        out.push_bind_param::<Nullable<Integer>, _>(&changes.parts)?;
        out.push_sql(", price = ");
        out.push_bind_param::<Nullable<Text>, _>(&changes.price)?;
        out.push_sql(", detail = ");
        out.push_bind_param::<Text, _>(&changes.detail)?;
        out.push_sql(", may_repeat = ");
        out.push_bind_param::<Bool, _>(&changes.may_repeat)?;
        out.push_sql(", worker = ");
        out.push_bind_param::<Nullable<Text>, _>(&changes.worker)?;
        out.push_sql(", leased_until = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&changes.leased_until)?;
        out.push_sql(", claims = ");
        out.push_bind_param::<Integer, _>(&changes.claims)?;
        out.push_sql(", refused_by = ");
        out.push_bind_param::<Text, _>(&changes.refused_by)?;
        out.push_sql(", receipt_due_at = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&changes.receipt_due_at)?;
        out.push_sql(", parts_delivered = ");
        out.push_bind_param::<Text, _>(&changes.parts_delivered)?;
        out.push_sql(", lease_token = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&changes.lease_token)?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<Text, _>(&self.id)
    }
}

impl RunQueryDsl<SqliteConnection> for Update {}

/// An [`Update`], if the delivery is still leased as it was.
#[derive(Debug, QueryId)]
pub(super) struct Settle {
    update: Update,
    worker: String,
    token: i64,
    attempts: i32,
}

impl Settle {
    /// Writes `after`, if what a settlement ends is still leased to this worker under its token.
    pub(super) fn new(settlement: &Settlement, worker: WorkerId, after: &OutboxEntry) -> Self {
        Self {
            update: Update::of(after),
            worker: worker.to_string(),
            token: settlement.token.as_i64(),
            attempts: small(settlement.delivery.attempts),
        }
    }
}

impl QueryFragment<Sqlite> for Settle {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.update.walk_ast(out.reborrow())?;
        out.push_sql(" AND state = 'sending' AND worker = ");
        out.push_bind_param::<Text, _>(&self.worker)?;
        out.push_sql(" AND lease_token = ");
        out.push_bind_param::<BigInt, _>(&self.token)?;
        out.push_sql(" AND attempts = ");
        out.push_bind_param::<Integer, _>(&self.attempts)
    }
}

impl RunQueryDsl<SqliteConnection> for &Settle {}

/// Renews leases by one statement. Returns the ids of those that hold.
#[derive(Debug, QueryId)]
pub(super) struct Renew {
    worker: String,
    /// The token of each delivery, as an object in JSON.
    tokens: String,
    until: i64,
}

impl Renew {
    pub(super) fn new(worker: WorkerId, held: &[HeldLease], until: Timestamp) -> Self {
        let token = |held: &HeldLease| (held.delivery.to_string(), held.token.as_i64().into());
        let tokens: serde_json::Map<_, _> = held.iter().map(token).collect();
        Self {
            worker: worker.to_string(),
            tokens: serde_json::Value::Object(tokens).to_string(),
            until: until.as_millis(),
        }
    }
}

impl QueryFragment<Sqlite> for Renew {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE deliveries SET leased_until = ");
        out.push_bind_param::<BigInt, _>(&self.until)?;
        out.push_sql(" FROM json_each(");
        out.push_bind_param::<Text, _>(&self.tokens)?;
        out.push_sql(
            ") AS held WHERE deliveries.id = held.key AND deliveries.lease_token = held.value
                AND deliveries.state = 'sending' AND deliveries.worker = ",
        );
        out.push_bind_param::<Text, _>(&self.worker)?;
        out.push_sql(" RETURNING deliveries.id");
        Ok(())
    }
}

impl Query for Renew {
    type SqlType = Text;
}

impl RunQueryDsl<SqliteConnection> for Renew {}

/// Leases what is due of a queue, and returns it in no order.
#[derive(Debug)]
pub(super) struct Claim {
    lane: String,
    raised_by: String,
    worker: String,
    token: i64,
    now: i64,
    until: i64,
    limit: NonZeroU32,
}

impl Claim {
    pub(super) fn new(lease: &Lease, want: &ClaimRequest) -> Self {
        Self {
            lane: want.queue.lane.to_string(),
            raised_by: owner(want.queue.raised_by.as_ref()),
            worker: lease.worker.to_string(),
            token: lease.token.as_i64(),
            now: lease.now.as_millis(),
            until: lease.until.as_millis(),
            limit: want.limit,
        }
    }
}

impl QueryFragment<Sqlite> for Claim {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE deliveries SET state = 'sending', worker = ");
        out.push_bind_param::<Text, _>(&self.worker)?;
        out.push_sql(", leased_until = ");
        out.push_bind_param::<BigInt, _>(&self.until)?;
        out.push_sql(", lease_token = ");
        out.push_bind_param::<BigInt, _>(&self.token)?;
        out.push_sql(
            ", claims = claims + 1 WHERE id IN (
                SELECT id FROM deliveries INDEXED BY deliveries_queued
                WHERE state = 'queued' AND lane = ",
        );
        out.push_bind_param::<Text, _>(&self.lane)?;
        out.push_sql(" AND raised_by = ");
        out.push_bind_param::<Text, _>(&self.raised_by)?;
        out.push_sql(" AND due_at <= ");
        out.push_bind_param::<BigInt, _>(&self.now)?;
        // Literally: with a parameter there, SQLite prepares the statement again each time.
        out.push_sql(&format!(
            " ORDER BY due_at, id LIMIT {}) RETURNING *",
            self.limit
        ));
        Ok(())
    }
}

/// By its text: the limit is part of it.
impl QueryId for Claim {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Claim {
    type SqlType = deliveries::SqlType;
}

impl RunQueryDsl<SqliteConnection> for Claim {}
