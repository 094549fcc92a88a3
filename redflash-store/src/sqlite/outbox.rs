//! The way of every delivery, in as few statements as can be: recorded, leased, settled.
//!
//! Callers create the rows, so that the writer only has to write them.

use std::num::NonZeroU32;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{HeldLease, Job, Lease, Settled, Settlement};
use redflash_core::model::{DeliveryId, WorkerId};
use redflash_core::store::{ClaimRequest, DueQueue, Enqueued, OutboxEntry};

use super::Conn;
use super::query::index_condition::SENDING;
use super::query::{claimed, fan_out, outbox, receipt};
use super::run::now;
use super::statement::{Claim, DueQueues, InsertNotification, Renew, Settle, Update};
use crate::error::QueryError;
use crate::heads::Heads;
use crate::row::attempt::AttemptRow;
use crate::row::delivery::{DeliveryRow, UnreadableQueue, queues};
use crate::row::notification::{NewRows, NotificationRow};
use crate::schema::{attempts, deliveries, idempotency, notifications};

/// Records a notification with its deliveries.
pub(super) fn enqueue(conn: &mut Conn, rows: &NewRows) -> Result<Enqueued, QueryError> {
    if let Some(promise) = &rows.idempotency
        && let Some(known) = now(outbox::known(conn, promise))?
    {
        return Ok(known);
    }
    let notification = InsertNotification {
        row: &rows.notification,
        planned_at: rows.planned_at,
    };
    if notification.execute(conn)? == 0 {
        return Ok(Enqueued::Outdated);
    }
    if let Some(promise) = &rows.idempotency {
        // One of the same key is too old to be remembered.
        diesel::replace_into(idempotency::table)
            .values(promise)
            .execute(conn)?;
    }
    now(insert(conn, &rows.deliveries))?;
    now(fan_out::begin(conn, &rows.notification.id, rows.unqueued))?;
    Ok(Enqueued::New)
}

/// Records deliveries, each by a statement that is prepared once.
pub(super) async fn insert(conn: &mut Conn, rows: &[DeliveryRow]) -> Result<(), QueryError> {
    for row in rows {
        diesel::insert_into(deliveries::table)
            .values(row)
            .execute(conn)?;
    }
    Ok(())
}

pub(super) async fn due_queues(conn: &mut Conn) -> Result<Vec<DueQueue>, QueryError> {
    Ok(queue_rows(conn)?.0)
}

/// Every queue with something in it, and those that cannot be read.
pub(super) fn queue_rows(
    conn: &mut Conn,
) -> Result<(Vec<DueQueue>, Vec<UnreadableQueue>), QueryError> {
    Ok(queues(DueQueues.load(conn)?))
}

/// Renews leases. Returns the ids of those that hold.
pub(super) fn renew(
    conn: &mut Conn,
    worker: WorkerId,
    held: &[HeldLease],
    until: Timestamp,
) -> Result<Vec<String>, QueryError> {
    Ok(Renew::new(worker, held, until).load(conn)?)
}

/// A delivery, to be changed.
pub(super) async fn entry(
    conn: &mut Conn,
    id: DeliveryId,
) -> Result<Option<OutboxEntry>, QueryError> {
    let row = deliveries::table
        .find(id.to_string())
        .select(DeliveryRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(DeliveryRow::into_entry).transpose()
}

/// Writes back what a change made of an entry.
pub(super) async fn write(conn: &mut Conn, entry: &OutboxEntry) -> Result<(), QueryError> {
    Update::of(entry).execute(conn)?;
    Ok(())
}

/// Returns the deliveries whose lease has expired or belongs to another worker.
pub(super) async fn orphans(
    conn: &mut Conn,
    now: Timestamp,
    except: Option<WorkerId>,
) -> Result<Vec<DeliveryRow>, QueryError> {
    let leased = deliveries::table
        .filter(sql::<Bool>(SENDING))
        .select(DeliveryRow::as_select());
    let ended = deliveries::leased_until.le(now.as_millis());
    let rows = match except {
        None => leased.filter(ended).load(conn)?,
        Some(worker) => {
            let others = deliveries::worker.ne(worker.to_string());
            leased.filter(ended.or(others)).load(conn)?
        }
    };
    Ok(rows)
}

/// Returns the sent deliveries that were not confirmed in time.
pub(super) async fn unconfirmed(
    conn: &mut Conn,
    now: Timestamp,
    limit: NonZeroU32,
) -> Result<Vec<DeliveryRow>, QueryError> {
    let rows = deliveries::table
        .filter(deliveries::receipt_due_at.le(now.as_millis()))
        .order((deliveries::receipt_due_at, deliveries::id))
        .limit(i64::from(limit.get()))
        .select(DeliveryRow::as_select())
        .load(conn)?;
    Ok(rows)
}

/// The deliveries whose ids lie within some ranges, each from its first to its last. One after the
/// other, since SQLite goes through the whole table for several at once.
pub(super) async fn within(
    conn: &mut Conn,
    ranges: Vec<(String, String)>,
) -> Result<Vec<DeliveryRow>, QueryError> {
    let mut found = Vec::new();
    for (first, last) in ranges {
        let rows: Vec<DeliveryRow> = deliveries::table
            .filter(deliveries::id.between(first, last))
            .order(deliveries::id)
            .select(DeliveryRow::as_select())
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

pub(super) fn claim_due(
    conn: &mut Conn,
    lease: &Lease,
    wants: &[ClaimRequest],
    heads: &Heads,
) -> Result<Vec<Job>, QueryError> {
    let mut jobs = Vec::new();
    for want in wants {
        let mut rows: Vec<DeliveryRow> = Claim::new(lease, want).load(conn)?;
        rows.sort_unstable_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));
        jobs.extend(now(claimed::jobs(conn, rows, lease.token, heads))?);
    }
    Ok(jobs)
}

/// Notifications, each by a statement that is prepared once.
pub(super) async fn plans(
    conn: &mut Conn,
    ids: Vec<String>,
) -> Result<Vec<NotificationRow>, QueryError> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let row = notifications::table
            .find(id)
            .select(NotificationRow::as_select())
            .get_result(conn)
            .optional()?;
        found.extend(row);
    }
    Ok(found)
}

/// The rows of a settlement, as long as the lease holds.
pub(super) struct SettledRows {
    settlement: Settlement,
    after: OutboxEntry,
    settle: Settle,
    attempt: Option<AttemptRow>,
}

impl SettledRows {
    pub(super) fn of(worker: WorkerId, settlement: &Settlement) -> Self {
        let delivery = &settlement.delivery;
        let (after, attempt) = OutboxEntry::settled(worker, settlement);
        Self {
            settle: Settle::new(settlement, worker, &after),
            attempt: attempt.map(|attempt| AttemptRow::new(delivery.id, &attempt)),
            settlement: settlement.clone(),
            after,
        }
    }

    pub(super) fn write(&self, conn: &mut Conn, worker: WorkerId) -> Result<Settled, QueryError> {
        if RunQueryDsl::execute(&self.settle, conn)? == 0 {
            return now(outbox::settle(conn, worker, &self.settlement));
        }
        if let Some(attempt) = &self.attempt {
            diesel::insert_into(attempts::table)
                .values(attempt)
                .execute(conn)?;
        }
        if self.after.may_have_early_receipts() {
            now(receipt::apply_early(conn, &mut self.after.clone()))?;
        }
        Ok(Settled::Recorded)
    }
}
