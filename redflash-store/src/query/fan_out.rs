//! Large notifications, whose deliveries are recorded in pieces.

use diesel::dsl::sum;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use redflash_core::store::FanOut;

use super::{Conn, RunQueryDsl, insert};
use crate::error::QueryError;
use crate::row::delivery::small;
use crate::row::notification::MoreRows;
use crate::row::{parse, readable};
use crate::schema::fan_outs;

/// Notes how many deliveries of a new notification are still to be recorded, if there are any.
pub(crate) async fn begin(
    conn: &mut Conn,
    notification: &str,
    unqueued: u32,
) -> Result<(), QueryError> {
    if unqueued == 0 {
        return Ok(());
    }
    let row = (
        fan_outs::notification.eq(notification),
        fan_outs::unqueued.eq(small(unqueued)),
    );
    diesel::insert_into(fan_outs::table)
        .values(row)
        .execute(conn)
        .await?;
    Ok(())
}

/// Records deliveries if they are the next ones. Returns whether they were.
pub(crate) async fn record(conn: &mut Conn, rows: &MoreRows) -> Result<bool, QueryError> {
    let before = fan_outs::table
        .filter(fan_outs::notification.eq(&rows.notification))
        .filter(fan_outs::unqueued.eq(small(rows.before)));
    // Whoever comes second waits for the first here, and finds another number.
    let moved = if rows.unqueued == 0 {
        diesel::delete(before).execute(conn).await?
    } else {
        let left = fan_outs::unqueued.eq(small(rows.unqueued));
        diesel::update(before).set(left).execute(conn).await?
    };
    if moved == 0 {
        return Ok(false);
    }
    insert(conn, &rows.deliveries).await?;
    Ok(true)
}

/// Every notification of which deliveries are still to be recorded.
pub(crate) async fn unfinished(conn: &mut Conn) -> Result<Vec<FanOut>, QueryError> {
    let rows: Vec<(String, i32)> = fan_outs::table
        .order(fan_outs::notification)
        .select((fan_outs::notification, fan_outs::unqueued))
        .load(conn)
        .await?;
    let mut unfinished = Vec::with_capacity(rows.len());
    for (id, unqueued) in rows {
        let notification = readable(parse(&id, "fan_outs", "notification", &id))?;
        unfinished.extend(notification.map(|notification| FanOut {
            notification,
            unqueued: unqueued.unsigned_abs(),
        }));
    }
    Ok(unfinished)
}

/// Counts the deliveries that are still to be recorded.
pub(crate) async fn unqueued(conn: &mut Conn) -> Result<u64, QueryError> {
    let all = fan_outs::table.select(sum(fan_outs::unqueued));
    let count: Option<i64> = all.get_result(conn).await?;
    Ok(count.unwrap_or(0).unsigned_abs())
}
