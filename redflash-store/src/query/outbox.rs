//! The queue: recording, leasing and settling deliveries.

use std::num::NonZeroU32;
use std::sync::Arc;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use redflash_core::store::{Backlog, DueQueue, Enqueued, OutboxEntry, Queue, Want};
use redflash_core::{
    Attempt, Delivery, DeliveryId, DeliveryState, Idempotency, Job, Lane, Lease, Next,
    Notification, NotificationId, Settled, Settlement, Slug, Timestamp, WorkerId,
};

use super::{Conn, receipt};
use crate::error::Fault;
use crate::row::attempt::AttemptRow;
use crate::row::delivery::{DeliveryRow, DeliveryUpdate};
use crate::row::notification::{Head, IdempotencyRow, NotificationRow};
use crate::row::parse;
use crate::schema::{attempts, deliveries, idempotency, notifications, probe};

pub(crate) fn enqueue(
    conn: &mut Conn,
    notification: &Notification,
    new: &[Delivery],
    lease: Option<&Lease>,
    promise: Option<&Idempotency>,
) -> Result<Enqueued, Fault> {
    if let Some(promise) = promise
        && let Some(known) = known(conn, notification, promise)?
    {
        return Ok(known);
    }
    let row = NotificationRow::new(notification);
    diesel::insert_into(notifications::table)
        .values(&row)
        .execute(conn)?;
    if let Some(promise) = promise {
        let row = IdempotencyRow {
            raised_by: owner(notification.raised_by.as_ref()),
            key: promise.key.clone(),
            digest: promise.digest.clone(),
            notification: notification.id.to_string(),
            raised_at: notification.raised_at.as_millis(),
        };
        diesel::replace_into(idempotency::table)
            .values(&row)
            .execute(conn)?;
    }
    for (delivery, place) in new.iter().zip(0..) {
        let entry = OutboxEntry::new(delivery.clone(), notification.raised_by.clone(), lease);
        let row = DeliveryRow::new(&entry, place);
        diesel::insert_into(deliveries::table)
            .values(&row)
            .execute(conn)?;
    }
    Ok(Enqueued::New)
}

fn owner(key: Option<&Slug>) -> String {
    key.map_or_else(String::new, ToString::to_string)
}

/// What was recorded under an idempotency key, as long as it is remembered.
fn known(
    conn: &mut Conn,
    notification: &Notification,
    promise: &Idempotency,
) -> Result<Option<Enqueued>, Fault> {
    let forgotten = notification.raised_at.minus(Idempotency::KEPT).as_millis();
    let found = idempotency::table
        .find((owner(notification.raised_by.as_ref()), &promise.key))
        .filter(idempotency::raised_at.gt(forgotten))
        .select(IdempotencyRow::as_select())
        .get_result(conn)
        .optional()?;
    let Some(found) = found else {
        return Ok(None);
    };
    if found.digest != promise.digest {
        return Ok(Some(Enqueued::Mismatch));
    }
    let earlier = notifications::table
        .find(&found.notification)
        .select(NotificationRow::as_select())
        .get_result(conn)?;
    let earlier = Box::new(earlier.into_notification()?);
    Ok(Some(Enqueued::Repeat(earlier)))
}

#[derive(Debug, QueryableByName)]
struct DueRow {
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = Text)]
    raised_by: String,
    #[diesel(sql_type = BigInt)]
    due_at: i64,
}

/// Jumps from queue to queue along the index, so that the cost is the number of queues.
const DUE_QUEUES: &str = "
WITH RECURSIVE queue (lane, raised_by, due_at) AS (
    SELECT * FROM (
        SELECT lane, raised_by, due_at FROM deliveries INDEXED BY deliveries_queued
        WHERE state = 'queued' ORDER BY lane, raised_by, due_at LIMIT 1
    )
    UNION ALL
    SELECT next.lane, next.raised_by, next.due_at FROM queue, deliveries AS next
    WHERE next.rowid = coalesce((
        SELECT rowid FROM deliveries AS later INDEXED BY deliveries_queued
        WHERE later.state = 'queued' AND later.lane = queue.lane AND later.raised_by > queue.raised_by
        ORDER BY later.raised_by, later.due_at LIMIT 1
    ), (
        SELECT rowid FROM deliveries AS later INDEXED BY deliveries_queued
        WHERE later.state = 'queued' AND later.lane > queue.lane
        ORDER BY later.lane, later.raised_by, later.due_at LIMIT 1
    ))
)
SELECT lane, raised_by, due_at FROM queue";

pub(crate) fn due_queues(conn: &mut Conn) -> Result<Vec<DueQueue>, Fault> {
    let rows: Vec<DueRow> = diesel::sql_query(DUE_QUEUES).load(conn)?;
    let queues = rows.into_iter().map(|row| {
        let key = Some(row.raised_by).filter(|key| !key.is_empty());
        let key = key
            .map(|key| parse(&key, "deliveries", "raised_by", &key))
            .transpose()?;
        let queue = Queue {
            lane: Lane::stored(row.lane),
            raised_by: key,
        };
        let due_at = Timestamp::from_millis(row.due_at);
        Ok(DueQueue { queue, due_at })
    });
    queues.collect()
}

pub(crate) fn claim_due(conn: &mut Conn, lease: &Lease, wants: &[Want]) -> Result<Vec<Job>, Fault> {
    let mut jobs = Vec::new();
    let mut last: Option<(String, Head)> = None;
    for want in wants {
        for row in due(conn, lease.now, want)? {
            let notification = row.notification.clone();
            if last.as_ref().is_none_or(|(id, _)| *id != notification) {
                let row = notifications::table
                    .find(&notification)
                    .select(NotificationRow::as_select())
                    .get_result(conn)?;
                last = Some((notification, row.into_head()?));
            }
            let mut entry = row.into_entry()?;
            entry.lease_to(lease);
            write(conn, &entry)?;
            if let Some((_, head)) = &last {
                jobs.push(Job {
                    delivery: entry.delivery,
                    message: Arc::clone(&head.message),
                    target: head.target.clone(),
                    raised_at: head.raised_at,
                    raised_by: entry.raised_by,
                });
            }
        }
    }
    Ok(jobs)
}

fn due(conn: &mut Conn, now: Timestamp, want: &Want) -> Result<Vec<DeliveryRow>, Fault> {
    let rows = deliveries::table
        // Literally, as in the index: a parameter would have the statement prepared each time.
        .filter(sql::<Bool>("state = 'queued'"))
        .filter(deliveries::lane.eq(want.queue.lane.as_str()))
        .filter(deliveries::raised_by.eq(owner(want.queue.raised_by.as_ref())))
        .filter(deliveries::due_at.le(now.as_millis()))
        .order((deliveries::due_at, deliveries::id))
        .limit(i64::from(want.limit.get()))
        .select(DeliveryRow::as_select())
        .load(conn)?;
    Ok(rows)
}

/// Writes back what a change made of an entry.
pub(super) fn write(conn: &mut Conn, entry: &OutboxEntry) -> Result<(), Fault> {
    DeliveryUpdate::of(entry).execute(conn)?;
    Ok(())
}

pub(super) fn entry(conn: &mut Conn, id: DeliveryId) -> Result<Option<OutboxEntry>, Fault> {
    let row = deliveries::table
        .find(id.to_string())
        .select(DeliveryRow::as_select())
        .get_result(conn)
        .optional()?;
    row.map(DeliveryRow::into_entry).transpose()
}

fn log(conn: &mut Conn, delivery: DeliveryId, attempt: &Attempt) -> Result<(), Fault> {
    let row = AttemptRow::new(delivery, attempt);
    diesel::insert_into(attempts::table)
        .values(&row)
        .execute(conn)?;
    Ok(())
}

pub(crate) fn settle(
    conn: &mut Conn,
    worker: WorkerId,
    settlement: &Settlement,
) -> Result<Settled, Fault> {
    let Some(mut entry) = entry(conn, settlement.delivery)? else {
        return Ok(Settled::Lost);
    };
    let (attempt, settled) = entry.settle(worker, settlement);
    if let Some(attempt) = attempt {
        log(conn, settlement.delivery, &attempt)?;
    }
    if matches!(settlement.next, Next::Done(_)) {
        receipt::apply_early(conn, &mut entry)?;
    }
    write(conn, &entry)?;
    Ok(settled)
}

pub(crate) fn requeue_orphans(
    conn: &mut Conn,
    now: Timestamp,
    except: Option<WorkerId>,
) -> Result<u64, Fault> {
    let leased = deliveries::table
        .filter(deliveries::state.eq(DeliveryState::Sending.as_str()))
        .select(DeliveryRow::as_select());
    let ended = deliveries::leased_until.le(now.as_millis());
    let orphans = match except {
        None => leased.filter(ended).load(conn)?,
        Some(worker) => {
            let others = deliveries::worker.ne(worker.to_string());
            leased.filter(ended.or(others)).load(conn)?
        }
    };
    let mut taken_back = 0;
    for row in orphans {
        let mut entry = row.into_entry()?;
        let attempt = entry.take_back(now);
        log(conn, entry.delivery.id, &attempt)?;
        write(conn, &entry)?;
        taken_back += 1;
    }
    Ok(taken_back)
}

pub(crate) fn resend(conn: &mut Conn, id: NotificationId, now: Timestamp) -> Result<u64, Fault> {
    let rows = deliveries::table
        .filter(deliveries::notification.eq(id.to_string()))
        .select(DeliveryRow::as_select())
        .load(conn)?;
    let mut resent = 0;
    for row in rows {
        let mut entry = row.into_entry()?;
        if entry.resend(now) {
            write(conn, &entry)?;
            resent += 1;
        }
    }
    Ok(resent)
}

pub(crate) fn backlog(conn: &mut Conn) -> Result<Backlog, Fault> {
    let count = |conn: &mut Conn, state: DeliveryState| {
        let rows = deliveries::table.filter(deliveries::state.eq(state.as_str()));
        rows.count().get_result::<i64>(conn)
    };
    let queued = count(conn, DeliveryState::Queued)?.unsigned_abs();
    let sending = count(conn, DeliveryState::Sending)?.unsigned_abs();
    let oldest_due = due_queues(conn)?.into_iter().map(|due| due.due_at).min();
    Ok(Backlog {
        queued,
        sending,
        oldest_due,
    })
}

pub(crate) fn prune(conn: &mut Conn, before: Timestamp, limit: NonZeroU32) -> Result<u64, Fault> {
    // Ids are ordered by time, so the oldest are the first of the primary key.
    let waiting = [DeliveryState::Queued, DeliveryState::Sending].map(DeliveryState::as_str);
    let unfinished = deliveries::table
        .filter(deliveries::notification.eq(notifications::id))
        .filter(deliveries::state.eq_any(waiting));
    let old: Vec<String> = notifications::table
        .filter(notifications::raised_at.lt(before.as_millis()))
        .filter(diesel::dsl::not(diesel::dsl::exists(unfinished)))
        .order(notifications::id)
        .limit(i64::from(limit.get()))
        .select(notifications::id)
        .load(conn)?;
    for id in &old {
        diesel::delete(notifications::table.find(id)).execute(conn)?;
    }
    receipt::forget(conn, before)?;
    let forgotten = idempotency::raised_at.le(before.minus(Idempotency::KEPT).as_millis());
    diesel::delete(idempotency::table.filter(forgotten)).execute(conn)?;
    Ok(old.len() as u64)
}

pub(crate) fn probe(conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
    diesel::replace_into(probe::table)
        .values((probe::id.eq(1), probe::probed_at.eq(now.as_millis())))
        .execute(conn)?;
    Ok(())
}
