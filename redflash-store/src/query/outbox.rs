//! The queue: recording, leasing and settling deliveries.

use std::collections::HashSet;
use std::num::NonZeroU32;

use diesel::dsl::{count_star, sql};
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel::sql_types::Bool;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{Attempt, Delivery, HeldLease, Lane, Settled, Settlement};
use redflash_core::message::Idempotency;
use redflash_core::model::{DeliveryId, NotificationId, WorkerId};
use redflash_core::store::{Backlog, Enqueued};

use super::index_condition::{QUEUED, SENDING};
use super::set_aside::set_aside;
use super::{
    Conn, RunQueryDsl, due_queues, entry, fan_out, inbox, meter, orphans, receipt, unconfirmed,
    write,
};
use crate::error::QueryError;
use crate::row::attempt::AttemptRow;
use crate::row::delivery::{DeliveryRow, small};
use crate::row::notification::{IdempotencyRow, NotificationRow};
use crate::row::{parse, readable};
use crate::schema::{attempts, deliveries, fan_outs, idempotency, notifications, probe};

/// Returns the notification recorded under an idempotency key, until the key expires.
pub(crate) async fn known(
    conn: &mut Conn,
    promise: &IdempotencyRow,
) -> Result<Option<Enqueued>, QueryError> {
    let now = Timestamp::from_millis(promise.raised_at);
    let forgotten = now.minus(Idempotency::RETENTION).as_millis();
    let found = idempotency::table
        .find((&promise.raised_by, &promise.key))
        .filter(idempotency::raised_at.gt(forgotten))
        .select(IdempotencyRow::as_select())
        .get_result(conn)
        .await
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
        .get_result(conn)
        .await?;
    let earlier = Box::new(earlier.into_notification()?);
    Ok(Some(Enqueued::Repeat(earlier)))
}

/// The first id that a delivery of a notification can have.
pub(crate) fn first(notification: NotificationId) -> String {
    DeliveryId::new(notification, 1).to_string()
}

/// The last.
pub(crate) fn last(notification: NotificationId) -> String {
    DeliveryId::new(notification, DeliveryId::MAX_PER_NOTIFICATION).to_string()
}

/// The deliveries of a notification.
#[diesel::dsl::auto_type]
pub(crate) fn of_notification(notification: NotificationId) -> _ {
    let (first, last): (String, String) = (first(notification), last(notification));
    deliveries::id.between(first, last)
}

async fn log(conn: &mut Conn, delivery: DeliveryId, attempt: &Attempt) -> Result<(), QueryError> {
    let row = AttemptRow::new(delivery, attempt);
    diesel::insert_into(attempts::table)
        .values(&row)
        .execute(conn)
        .await?;
    Ok(())
}

async fn logged(
    conn: &mut Conn,
    id: DeliveryId,
    number: u32,
) -> Result<Option<Attempt>, QueryError> {
    let row = attempts::table
        .find((id.to_string(), small(number)))
        .select(AttemptRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    row.map(AttemptRow::into_attempt).transpose()
}

/// Ends a lease that may have passed to another.
pub(crate) async fn settle(
    conn: &mut Conn,
    worker: WorkerId,
    settlement: &Settlement,
) -> Result<Settled, QueryError> {
    let id = settlement.delivery.id;
    let Some(mut entry) = entry(conn, id).await? else {
        return Ok(Settled::Lost);
    };
    if let Some(attempt) = &settlement.attempt
        && logged(conn, id, attempt.number).await?.as_ref() == Some(attempt)
    {
        // It was recorded before, and the answer was lost.
        return Ok(Settled::Recorded);
    }
    let (attempt, settled) = entry.settle(worker, settlement);
    if let Some(attempt) = attempt {
        log(conn, id, &attempt).await?;
    }
    write(conn, &entry).await?;
    if entry.may_have_early_receipts() {
        receipt::apply_early(conn, &mut entry).await?;
    }
    Ok(settled)
}

pub(crate) async fn requeue_orphans(
    conn: &mut Conn,
    now: Timestamp,
    except: Option<WorkerId>,
    running: &[HeldLease],
) -> Result<Vec<Delivery>, QueryError> {
    let mut rows = orphans(conn, now, except).await?;
    let running: HashSet<_> = running
        .iter()
        .map(|held| (held.delivery.to_string(), Some(held.token.as_i64())))
        .collect();
    rows.retain(|row| !running.contains(&(row.id.clone(), row.lease_token)));
    take_back(conn, rows, now).await
}

/// Takes back deliveries whose holder recorded no outcome. Returns them as they are now.
pub(crate) async fn take_back(
    conn: &mut Conn,
    rows: Vec<DeliveryRow>,
    now: Timestamp,
) -> Result<Vec<Delivery>, QueryError> {
    let mut taken_back = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id.clone();
        let mut entry = match row.into_entry() {
            Ok(entry) => entry,
            Err(error) => {
                set_aside(conn, &id, error).await?;
                continue;
            }
        };
        let attempt = entry.take_back(now);
        log(conn, entry.delivery.id, &attempt).await?;
        write(conn, &entry).await?;
        receipt::apply_early(conn, &mut entry).await?;
        taken_back.push(entry.delivery);
    }
    Ok(taken_back)
}

/// Requeues at most `limit` deliveries that were not confirmed in time. Returns their number.
pub(crate) async fn requeue_unconfirmed(
    conn: &mut Conn,
    now: Timestamp,
    limit: NonZeroU32,
) -> Result<u64, QueryError> {
    let mut missing = 0;
    for row in unconfirmed(conn, now, limit).await? {
        let id = row.id.clone();
        let mut entry = match row.into_entry() {
            Ok(entry) => entry,
            Err(error) => {
                set_aside(conn, &id, error).await?;
                continue;
            }
        };
        if let Some(attempt) = entry.miss_receipt(now) {
            log(conn, entry.delivery.id, &attempt).await?;
            missing += 1;
        }
        write(conn, &entry).await?;
    }
    Ok(missing)
}

pub(crate) async fn resend(
    conn: &mut Conn,
    id: NotificationId,
    only: Option<DeliveryId>,
    now: Timestamp,
) -> Result<u64, QueryError> {
    let ids: Vec<String> = deliveries::table
        .filter(of_notification(id))
        .order(deliveries::id)
        .select(deliveries::id)
        .load(conn)
        .await?;
    let mut resent = 0;
    for text in &ids {
        let id = parse(text, "deliveries", "id", text)?;
        if only.is_some_and(|only| only != id) {
            continue;
        }
        if let Some(mut entry) = entry(conn, id).await?
            && entry.resend(now)
        {
            write(conn, &entry).await?;
            resent += 1;
        }
    }
    Ok(resent)
}

async fn count(conn: &mut Conn, state: &str) -> Result<u64, QueryError> {
    let rows = deliveries::table.filter(sql::<Bool>(state));
    let count: i64 = rows.count().get_result(conn).await?;
    Ok(count.unsigned_abs())
}

pub(crate) async fn backlog(conn: &mut Conn) -> Result<Backlog, QueryError> {
    let queued = count(conn, QUEUED).await?;
    let sending = count(conn, SENDING).await?;
    let oldest_due = due_queues(conn).await?;
    let oldest_due = oldest_due.into_iter().map(|due| due.due_at).min();
    Ok(Backlog {
        queued: queued + fan_out::unqueued(conn).await?,
        sending,
        oldest_due,
    })
}

/// Counts the waiting deliveries of each lane.
pub(crate) async fn waiting(conn: &mut Conn) -> Result<Vec<(Lane, u64)>, QueryError> {
    let rows: Vec<(String, i64)> = deliveries::table
        .filter(sql::<Bool>(QUEUED))
        .group_by(deliveries::lane)
        .order(deliveries::lane)
        .select((deliveries::lane, count_star()))
        .load(conn)
        .await?;
    let lane = |(lane, count): (String, i64)| (Lane::stored(lane), count.unsigned_abs());
    Ok(rows.into_iter().map(lane).collect())
}

pub(crate) async fn prune(
    conn: &mut Conn,
    before: Timestamp,
    limit: NonZeroU32,
) -> Result<u64, QueryError> {
    // Ids begin with their time, so the oldest are the first of the primary key.
    let earliest = format!("{:012x}", before.as_millis().max(0));
    let waiting = |state| {
        let waits = deliveries::table.filter(sql::<Bool>(state));
        waits.select(deliveries::notification)
    };
    let old: Vec<String> = notifications::table
        .filter(notifications::id.lt(earliest))
        .filter(notifications::id.ne_all(waiting(QUEUED)))
        .filter(notifications::id.ne_all(waiting(SENDING)))
        .filter(notifications::id.ne_all(fan_outs::table.select(fan_outs::notification)))
        .order(notifications::id)
        .limit(i64::from(limit.get()))
        .select(notifications::id)
        .load(conn)
        .await?;
    for text in &old {
        if let Some(id) = readable(parse(text, "notifications", "id", text))? {
            let ours = deliveries::table.filter(of_notification(id));
            let theirs = attempts::delivery.between(first(id), last(id));
            diesel::delete(attempts::table.filter(theirs))
                .execute(conn)
                .await?;
            diesel::delete(ours).execute(conn).await?;
        }
        diesel::delete(notifications::table.find(text))
            .execute(conn)
            .await?;
    }
    receipt::forget(conn, before).await?;
    inbox::forget(conn, before).await?;
    meter::forget(conn, before).await?;
    let forgotten = idempotency::raised_at.le(before.minus(Idempotency::RETENTION).as_millis());
    diesel::delete(idempotency::table.filter(forgotten))
        .execute(conn)
        .await?;
    Ok(old.len() as u64)
}

pub(crate) async fn probe(conn: &mut Conn, now: Timestamp) -> Result<(), QueryError> {
    let at = probe::probed_at.eq(now.as_millis());
    diesel::insert_into(probe::table)
        .values((probe::id.eq(1), at))
        .on_conflict(probe::id)
        .do_update()
        .set(at)
        .execute(conn)
        .await?;
    Ok(())
}
