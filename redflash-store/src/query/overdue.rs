//! Deliveries that have waited for too long, and times that follow the clock when it is set.

use std::num::NonZeroU32;

use diesel::dsl::sql;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::sql_types::Bool;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Delivery;
use redflash_core::model::{NotificationId, WorkerId};
use redflash_core::store::{ClockStep, Overdue};

use super::index_condition::{QUEUED, SENDING};
use super::outbox::first;
use super::{Conn, RunQueryDsl, entry, write};
use crate::error::QueryError;
use crate::row::parse;
use crate::schema::deliveries;

/// Returns at most `limit` ids of deliveries that have waited too long, each with what it has waited for
/// if it was never attempted.
pub(crate) async fn overdue(
    conn: &mut Conn,
    all: &[Overdue],
    limit: NonZeroU32,
) -> Result<Vec<(String, Option<String>)>, QueryError> {
    let most = limit.get() as usize;
    let mut found = Vec::new();
    for overdue in all {
        if found.len() >= most {
            break;
        }
        let left = i64::try_from(most - found.len()).unwrap_or(i64::MAX);
        let queued = deliveries::table
            .filter(sql::<Bool>(QUEUED))
            .select(deliveries::id)
            .limit(left);
        let (ids, why): (Vec<String>, _) = match overdue {
            Overdue::Attempted { channel, before } => {
                let attempted = queued
                    .filter(deliveries::channel.eq(channel.as_str()))
                    .filter(deliveries::first_attempt_at.lt(before.as_millis()))
                    .order(deliveries::first_attempt_at);
                (attempted.load(conn).await?, None)
            }
            Overdue::Waiting { lane, before, why } => {
                let waiting = queued
                    .filter(deliveries::lane.eq(lane.as_str()))
                    .filter(deliveries::first_attempt_at.is_null())
                    .filter(deliveries::id.lt(first(NotificationId::first_at(*before))));
                (waiting.load(conn).await?, Some(why))
            }
        };
        found.extend(ids.into_iter().map(|id| (id, why.cloned())));
    }
    // In one order, so that no two transactions wait for each other.
    found.sort();
    Ok(found)
}

/// Gives up those that still wait. Returns them as they are now.
pub(crate) async fn give_up(
    conn: &mut Conn,
    overdue: &[(String, Option<String>)],
    now: Timestamp,
) -> Result<Vec<Delivery>, QueryError> {
    let mut given_up = Vec::new();
    for (text, why) in overdue {
        let id = parse(text, "deliveries", "id", text)?;
        if let Some(mut entry) = entry(conn, id).await?
            && entry.give_up(why.as_deref(), now)
        {
            write(conn, &entry).await?;
            given_up.push(entry.delivery);
        }
    }
    Ok(given_up)
}

/// Moves what waits with the clock. Returns how many deliveries were moved.
pub(crate) async fn follow_clock(
    conn: &mut Conn,
    step: &ClockStep,
    worker: WorkerId,
) -> Result<u64, QueryError> {
    let (by, earlier) = (step.by(), step.earlier().as_millis());
    let queued = deliveries::table
        .filter(sql::<Bool>(QUEUED))
        .filter(deliveries::due_at.gt(earlier));
    let queued = diesel::update(queued)
        .set(deliveries::due_at.eq(deliveries::due_at + by))
        .execute(conn)
        .await?;
    let leased = deliveries::table
        .filter(sql::<Bool>(SENDING))
        .filter(deliveries::worker.eq(worker.to_string()));
    let leased = diesel::update(leased)
        .set(deliveries::leased_until.eq(deliveries::leased_until + by))
        .execute(conn)
        .await?;
    let unconfirmed = deliveries::table.filter(deliveries::receipt_due_at.gt(earlier));
    let unconfirmed = diesel::update(unconfirmed)
        .set(deliveries::receipt_due_at.eq(deliveries::receipt_due_at + by))
        .execute(conn)
        .await?;
    Ok((queued + leased + unconfirmed) as u64)
}

/// Makes due what lies further ahead than `latest`. Returns how many deliveries were moved.
pub(crate) async fn bring_forward(
    conn: &mut Conn,
    now: Timestamp,
    latest: Timestamp,
) -> Result<u64, QueryError> {
    let (now, latest) = (now.as_millis(), latest.as_millis());
    let queued = deliveries::table
        .filter(sql::<Bool>(QUEUED))
        .filter(deliveries::due_at.gt(latest));
    diesel::update(queued.clone().filter(deliveries::first_attempt_at.gt(now)))
        .set(deliveries::first_attempt_at.eq(now))
        .execute(conn)
        .await?;
    let queued = diesel::update(queued)
        .set(deliveries::due_at.eq(now))
        .execute(conn)
        .await?;
    let unconfirmed = deliveries::table.filter(deliveries::receipt_due_at.gt(latest));
    let unconfirmed = diesel::update(unconfirmed)
        .set(deliveries::receipt_due_at.eq(now))
        .execute(conn)
        .await?;
    Ok((queued + unconfirmed) as u64)
}
