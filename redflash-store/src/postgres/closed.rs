//! Closed lanes of gateways, which the nodes share with each other.

use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Lane;
use redflash_core::store::ClosedLane;

use super::Conn;
use crate::error::QueryError;
use crate::row::{parse, readable};
use crate::schema::closed_lanes;

/// Replaces the closed lanes that this node has published.
pub(super) async fn publish(
    conn: &mut Conn,
    worker: &str,
    closed: &[ClosedLane],
) -> Result<(), QueryError> {
    let published = closed_lanes::table.filter(closed_lanes::worker.eq(worker));
    diesel::delete(published).execute(conn).await?;
    let rows: Vec<_> = closed
        .iter()
        .map(|closed| {
            (
                closed_lanes::worker.eq(worker),
                closed_lanes::gateway.eq(closed.gateway.as_str()),
                closed_lanes::lane.eq(closed.lane.as_str()),
                closed_lanes::closed_until.eq(closed.until.as_millis()),
            )
        })
        .collect();
    diesel::insert_into(closed_lanes::table)
        .values(rows)
        .execute(conn)
        .await?;
    Ok(())
}

/// Returns the lanes that other nodes have found closed.
pub(super) async fn found_by_others(
    conn: &mut Conn,
    worker: &str,
    now: Timestamp,
) -> Result<Vec<ClosedLane>, QueryError> {
    let rows: Vec<(String, String, i64)> = closed_lanes::table
        .filter(closed_lanes::worker.ne(worker))
        .filter(closed_lanes::closed_until.gt(now.as_millis()))
        .select((
            closed_lanes::gateway,
            closed_lanes::lane,
            closed_lanes::closed_until,
        ))
        .load(conn)
        .await?;
    let lanes = rows.into_iter().map(|(gateway, lane, until)| {
        let gateway = readable(parse(&gateway, "closed_lanes", "gateway", &gateway))?;
        Ok(gateway.map(|gateway| ClosedLane {
            gateway,
            lane: Lane::stored(lane),
            until: Timestamp::from_millis(until),
        }))
    });
    lanes.filter_map(Result::transpose).collect()
}
