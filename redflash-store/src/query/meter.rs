//! Counts that bound what is sent, and alarms that have been given.

use diesel::dsl::case_when;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::upsert::excluded;
use redflash_core::clock::Timestamp;
use redflash_core::store::{Alarm, Allowance, Spent, Window};

use super::{Conn, RunQueryDsl};
use crate::error::QueryError;
use crate::row::delivery::small;
use crate::row::storable;
use crate::schema::{alarms, meters};

/// Counts one more against every allowance, or against none.
pub(crate) async fn spend(
    conn: &mut Conn,
    allowances: &[Allowance],
    now: Timestamp,
) -> Result<Spent, QueryError> {
    // In one order, so that no two transactions wait for each other.
    let mut order: Vec<usize> = (0..allowances.len()).collect();
    order.sort_by_key(|place| &allowances[*place]);
    let mut counts = vec![0; allowances.len()];
    for (done, place) in order.iter().enumerate() {
        let allowance = &allowances[*place];
        let used = count(conn, allowance, now).await?;
        if used > small(allowance.limit) {
            for place in &order[..=done] {
                give_back(conn, &allowances[*place], now).await?;
            }
            return Ok(Spent::UsedUp(*place));
        }
        counts[*place] = used.unsigned_abs();
    }
    Ok(Spent::Counted(counts))
}

/// Takes back what was counted at a time.
pub(crate) async fn refund(
    conn: &mut Conn,
    allowances: &[Allowance],
    at: Timestamp,
) -> Result<(), QueryError> {
    let mut order: Vec<_> = allowances.iter().collect();
    order.sort();
    for allowance in order {
        give_back(conn, allowance, at).await?;
    }
    Ok(())
}

/// Reads how much each allowance has used.
pub(crate) async fn used(
    conn: &mut Conn,
    allowances: &[Allowance],
    now: Timestamp,
) -> Result<Vec<u32>, QueryError> {
    let mut counts = Vec::with_capacity(allowances.len());
    for allowance in allowances {
        let used: Option<i32> = meters::table
            .find((storable(&allowance.meter), allowance.window.as_str()))
            .filter(meters::starts_at.eq(allowance.window.start(now).as_millis()))
            .select(meters::used)
            .get_result(conn)
            .await
            .optional()?;
        counts.push(used.unwrap_or(0).unsigned_abs());
    }
    Ok(counts)
}

/// Counts one more, whatever the limit, and returns how many that makes.
async fn count(conn: &mut Conn, allowance: &Allowance, now: Timestamp) -> Result<i32, QueryError> {
    let (meter, period) = (storable(&allowance.meter), allowance.window.as_str());
    let goes_on = meters::starts_at.eq(excluded(meters::starts_at));
    let used = case_when(goes_on, meters::used + 1).otherwise(1);
    diesel::insert_into(meters::table)
        .values((
            meters::meter.eq(&meter),
            meters::period.eq(period),
            meters::starts_at.eq(allowance.window.start(now).as_millis()),
            meters::used.eq(1),
        ))
        .on_conflict((meters::meter, meters::period))
        .do_update()
        .set((
            meters::used.eq(used),
            meters::starts_at.eq(excluded(meters::starts_at)),
        ))
        .execute(conn)
        .await?;
    let used = meters::table
        .find((&meter, period))
        .select(meters::used)
        .get_result(conn)
        .await?;
    Ok(used)
}

async fn give_back(
    conn: &mut Conn,
    allowance: &Allowance,
    at: Timestamp,
) -> Result<(), QueryError> {
    let row = meters::table
        .find((storable(&allowance.meter), allowance.window.as_str()))
        .filter(meters::starts_at.eq(allowance.window.start(at).as_millis()))
        .filter(meters::used.gt(0));
    diesel::update(row)
        .set(meters::used.eq(meters::used - 1))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn start_alarm(conn: &mut Conn, alarm: &Alarm) -> Result<bool, QueryError> {
    let next_try_at = alarms::next_try_at.eq(alarm.next_try_at.map(Timestamp::as_millis));
    let known = diesel::update(alarms::table.find(&alarm.subject))
        .set(next_try_at)
        .execute(conn)
        .await?;
    if known > 0 {
        return Ok(false);
    }
    let started = diesel::insert_into(alarms::table)
        .values((
            alarms::subject.eq(&alarm.subject),
            alarms::since.eq(alarm.since.as_millis()),
            alarms::reason.eq(storable(&alarm.reason)),
            next_try_at,
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(started > 0)
}

pub(crate) async fn end_alarm(conn: &mut Conn, subject: &str) -> Result<bool, QueryError> {
    let ended = diesel::delete(alarms::table.find(subject))
        .execute(conn)
        .await?;
    Ok(ended > 0)
}

pub(crate) async fn alarms(conn: &mut Conn) -> Result<Vec<Alarm>, QueryError> {
    let rows: Vec<(String, i64, String, Option<i64>)> =
        alarms::table.order(alarms::subject).load(conn).await?;
    let alarm = |(subject, since, reason, next_try_at): (_, _, _, Option<_>)| Alarm {
        subject,
        since: Timestamp::from_millis(since),
        reason,
        next_try_at: next_try_at.map(Timestamp::from_millis),
    };
    Ok(rows.into_iter().map(alarm).collect())
}

/// Drops counts of windows that ended before a time.
pub(crate) async fn forget(conn: &mut Conn, before: Timestamp) -> Result<(), QueryError> {
    for window in [Window::Hour, Window::Day] {
        let latest = before.minus(window.length()).as_millis();
        let old = meters::table
            .filter(meters::period.eq(window.as_str()))
            .filter(meters::starts_at.le(latest));
        diesel::delete(old).execute(conn).await?;
    }
    Ok(())
}
