//! The queue: recording, leasing and settling deliveries.

use std::num::NonZeroU32;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use redflash_core::store::{Backlog, Enqueued, OutboxEntry};
use redflash_core::{
    Attempt, DeliveryId, DeliveryState, Idempotency, NotificationId, Settled, Settlement,
    Timestamp, WorkerId,
};

use super::{Conn, receipt};
use crate::error::Fault;
use crate::row::attempt::AttemptRow;
use crate::row::delivery::DeliveryRow;
use crate::row::notification::{IdempotencyRow, NotificationRow};
use crate::row::parse;
use crate::schema::{attempts, deliveries, idempotency, notifications, probe};
use crate::sqlite::outbox::due_queues;
use crate::sqlite::statement::Update;

/// The conditions of the indexes of what waits and what is under way. Literally, since a parameter
/// would keep SQLite from using them.
const QUEUED: &str = "deliveries.state = 'queued'";
const SENDING: &str = "deliveries.state = 'sending'";

/// What was recorded under an idempotency key, as long as it is remembered.
pub(crate) fn known(conn: &mut Conn, promise: &IdempotencyRow) -> Result<Option<Enqueued>, Fault> {
    let now = Timestamp::from_millis(promise.raised_at);
    let forgotten = now.minus(Idempotency::KEPT).as_millis();
    let found = idempotency::table
        .find((&promise.raised_by, &promise.key))
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

/// Writes back what a change made of an entry.
pub(super) fn write(conn: &mut Conn, entry: &OutboxEntry) -> Result<(), Fault> {
    Update::of(entry).execute(conn)?;
    Ok(())
}

/// The first id that a delivery of a notification can have.
pub(super) fn first(notification: NotificationId) -> String {
    DeliveryId::new(notification, 1).to_string()
}

/// The last.
pub(super) fn last(notification: NotificationId) -> String {
    DeliveryId::new(notification, DeliveryId::MOST).to_string()
}

/// The deliveries of a notification.
#[diesel::dsl::auto_type]
pub(super) fn of_notification(notification: NotificationId) -> _ {
    let (first, last): (String, String) = (first(notification), last(notification));
    deliveries::id.between(first, last)
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

/// Ends a lease that may have passed to another.
pub(crate) fn settle(
    conn: &mut Conn,
    worker: WorkerId,
    settlement: &Settlement,
) -> Result<Settled, Fault> {
    let id = settlement.delivery.id;
    let Some(mut entry) = entry(conn, id)? else {
        return Ok(Settled::Lost);
    };
    let (attempt, settled) = entry.settle(worker, settlement);
    if let Some(attempt) = attempt {
        log(conn, id, &attempt)?;
    }
    write(conn, &entry)?;
    if entry.delivery.state == DeliveryState::Sent {
        receipt::apply_early(conn, &mut entry)?;
    }
    Ok(settled)
}

pub(crate) fn requeue_orphans(
    conn: &mut Conn,
    now: Timestamp,
    except: Option<WorkerId>,
) -> Result<u64, Fault> {
    let leased = deliveries::table
        .filter(sql::<Bool>(SENDING))
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
        .filter(of_notification(id))
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
    let count = |conn: &mut Conn, state| {
        let rows = deliveries::table.filter(sql::<Bool>(state));
        rows.count().get_result::<i64>(conn)
    };
    let queued = count(conn, QUEUED)?.unsigned_abs();
    let sending = count(conn, SENDING)?.unsigned_abs();
    let oldest_due = due_queues(conn)?.into_iter().map(|due| due.due_at).min();
    Ok(Backlog {
        queued,
        sending,
        oldest_due,
    })
}

pub(crate) fn prune(conn: &mut Conn, before: Timestamp, limit: NonZeroU32) -> Result<u64, Fault> {
    // Ids are ordered by time, so the oldest are the first of the primary key.
    let waiting = |state| {
        let waits = deliveries::table.filter(sql::<Bool>(state));
        waits.select(deliveries::notification)
    };
    let old: Vec<String> = notifications::table
        .filter(notifications::raised_at.lt(before.as_millis()))
        .filter(notifications::id.ne_all(waiting(QUEUED)))
        .filter(notifications::id.ne_all(waiting(SENDING)))
        .order(notifications::id)
        .limit(i64::from(limit.get()))
        .select(notifications::id)
        .load(conn)?;
    for text in &old {
        let id = parse(text, "notifications", "id", text)?;
        let ours = deliveries::table.filter(of_notification(id));
        let theirs = attempts::delivery.between(first(id), last(id));
        diesel::delete(attempts::table.filter(theirs)).execute(conn)?;
        diesel::delete(ours).execute(conn)?;
        diesel::delete(notifications::table.find(text)).execute(conn)?;
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
