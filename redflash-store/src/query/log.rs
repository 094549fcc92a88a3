//! The log: what was raised, what became of it.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel::sql_types::Bool;
use redflash_core::store::{DeliveryRecord, LogFilter};
use redflash_core::{Attempt, Delivery, DeliveryState, Notification, NotificationId};

use super::outbox::{ENDED_BADLY, QUEUED, SENDING, first, last, of_notification};
use super::{Conn, RunQueryDsl};
use crate::error::Fault;
use crate::row::attempt::AttemptRow;
use crate::row::delivery::DeliveryRow;
use crate::row::notification::NotificationRow;
use crate::schema::{attempts, deliveries, notifications};

pub(crate) async fn notification(
    conn: &mut Conn,
    id: NotificationId,
) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, Fault> {
    let row = notifications::table
        .find(id.to_string())
        .select(NotificationRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    let Some(row) = row else {
        return Ok(None);
    };
    let mut made = attempts_of(conn, id).await?;
    let records = deliveries_of(conn, id)
        .await?
        .into_iter()
        .map(|delivery| DeliveryRecord {
            attempts_made: made.remove(&delivery.id.to_string()).unwrap_or_default(),
            delivery,
        });
    Ok(Some((row.into_notification()?, records.collect())))
}

async fn deliveries_of(
    conn: &mut Conn,
    notification: NotificationId,
) -> Result<Vec<Delivery>, Fault> {
    let rows = deliveries::table
        .filter(of_notification(notification))
        .order(deliveries::id)
        .select(DeliveryRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter()
        .map(|row| Ok(row.into_entry()?.delivery))
        .collect()
}

async fn attempts_of(
    conn: &mut Conn,
    notification: NotificationId,
) -> Result<HashMap<String, Vec<Attempt>>, Fault> {
    let rows = attempts::table
        .filter(attempts::delivery.between(first(notification), last(notification)))
        .order((attempts::delivery, attempts::number))
        .select(AttemptRow::as_select())
        .load(conn)
        .await?;
    let mut of_delivery: HashMap<String, Vec<Attempt>> = HashMap::new();
    for row in rows {
        let list = of_delivery.entry(row.delivery.clone()).or_default();
        list.push(row.into_attempt()?);
    }
    Ok(of_delivery)
}

pub(crate) async fn log(
    conn: &mut Conn,
    filter: &LogFilter,
) -> Result<Vec<(Notification, Vec<Delivery>)>, Fault> {
    let mut query = notifications::table
        .order(notifications::id.desc())
        .limit(i64::from(filter.limit.get()))
        .select(NotificationRow::as_select())
        .into_boxed();
    if let Some(before) = filter.before {
        query = query.filter(notifications::id.lt(before.to_string()));
    }
    if let Some(since) = filter.since {
        query = query.filter(notifications::raised_at.ge(since.as_millis()));
    }
    if let Some(contact) = &filter.contact {
        let told = deliveries::table
            .filter(deliveries::contact.eq(contact.as_str()))
            .select(deliveries::notification);
        query = query.filter(notifications::id.eq_any(told));
    }
    query = match filter.state {
        // Few, whatever the history, and in an index of their own.
        Some(state) if !matches!(state, DeliveryState::Sent | DeliveryState::Delivered) => {
            let index = match state {
                DeliveryState::Queued => QUEUED,
                DeliveryState::Sending => SENDING,
                _ => ENDED_BADLY,
            };
            let within = deliveries::table
                .filter(sql::<Bool>(index))
                .filter(deliveries::state.eq(state.as_str()))
                .select(deliveries::notification);
            query.filter(notifications::id.eq_any(within))
        }
        // Most are: found soon by going through the newest.
        Some(state) => query.filter(diesel::dsl::exists(
            deliveries::table
                .filter(deliveries::notification.eq(notifications::id))
                .filter(deliveries::state.eq(state.as_str())),
        )),
        None => query,
    };
    let rows = query.load(conn).await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let notification = row.into_notification()?;
        let deliveries = deliveries_of(conn, notification.id).await?;
        entries.push((notification, deliveries));
    }
    Ok(entries)
}
