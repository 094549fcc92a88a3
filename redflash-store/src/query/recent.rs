//! Statistics of the last hours.

use std::time::Duration;

use diesel::dsl::{count_star, sql};
use diesel::prelude::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Nullable, Text};
use redflash_core::clock::Timestamp;
use redflash_core::model::NotificationId;
use redflash_core::store::{OutcomeCount, Recent};

use super::{Conn, RunQueryDsl};
use crate::error::QueryError;
use crate::row::{parse, parse_some};
use crate::schema::{attempts, deliveries};

/// Counts the newest, each kind along its primary key: what lies behind as many as are counted is not
/// looked at.
pub(crate) async fn recent(
    conn: &mut Conn,
    since: Timestamp,
    step: Duration,
) -> Result<Recent, QueryError> {
    let first = NotificationId::first_at(since).to_string();
    let mut recent = Recent::default();
    count_states(conn, &first, &mut recent).await?;
    count_outcomes(conn, &first, step, &mut recent).await?;
    Ok(recent)
}

async fn count_states(conn: &mut Conn, first: &str, recent: &mut Recent) -> Result<(), QueryError> {
    let since = deliveries::table.filter(deliveries::id.ge(first));
    let behind: Option<String> = since
        .order(deliveries::id.desc())
        .offset(i64::from(Recent::COUNTED))
        .limit(1)
        .select(deliveries::id)
        .get_result(conn)
        .await
        .optional()?;
    recent.cut |= behind.is_some();
    // One bound, since only one is looked up in the primary key.
    let behind = behind.as_deref().unwrap_or(first);
    let counts: Vec<(String, i64)> = deliveries::table
        .filter(deliveries::id.gt(behind))
        .group_by(deliveries::state)
        .select((deliveries::state, count_star()))
        .load(conn)
        .await?;
    for (state, count) in counts {
        let state = parse(&state, "deliveries", "state", &state)?;
        recent.states.insert(state, count.unsigned_abs());
    }
    Ok(())
}

/// A time, a gateway, an outcome, and how many.
type Counted = (BigInt, Nullable<Text>, Text, BigInt);

async fn count_outcomes(
    conn: &mut Conn,
    first: &str,
    step: Duration,
    recent: &mut Recent,
) -> Result<(), QueryError> {
    let since = attempts::table.filter(attempts::delivery.ge(first));
    let behind: Option<(String, i32)> = since
        .order((attempts::delivery.desc(), attempts::number.desc()))
        .offset(i64::from(Recent::COUNTED))
        .limit(1)
        .select((attempts::delivery, attempts::number))
        .get_result(conn)
        .await
        .optional()?;
    recent.cut |= behind.is_some();
    let (delivery, number) = behind.unwrap_or_else(|| (first.to_owned(), 0));
    let is_newer = attempts::delivery.gt(delivery.clone());
    let millis = i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1);
    // Literally, since as a parameter it would be another in each place.
    let groups = format!("attempts.ended_at / {millis}, attempts.gateway, attempts.outcome");
    let counts: Vec<(i64, Option<String>, String, i64)> = attempts::table
        .filter(attempts::delivery.ge(delivery))
        .filter(is_newer.or(attempts::number.gt(number)))
        .group_by(sql::<(BigInt, Nullable<Text>, Text)>(&groups))
        .select(sql::<Counted>(&format!("{groups}, count(*)")))
        .load(conn)
        .await?;
    for (slot, gateway, outcome, count) in counts {
        recent.outcomes.push(OutcomeCount {
            gateway: parse_some(gateway.as_deref(), "attempts", "gateway", first)?,
            at: Timestamp::from_millis(slot.saturating_mul(millis)),
            outcome: parse(&outcome, "attempts", "outcome", first)?,
            count: count.unsigned_abs(),
        });
    }
    let place = |count: &OutcomeCount| (count.at, count.gateway.clone(), count.outcome);
    recent.outcomes.sort_by_key(place);
    Ok(())
}
