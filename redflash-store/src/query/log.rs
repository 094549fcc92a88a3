//! The log: what was raised, what became of it.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel::sql_types::Bool;
use redflash_core::delivery::{Attempt, Delivery, DeliveryState};
use redflash_core::model::{NotificationId, Slug};
use redflash_core::plan::Notification;
use redflash_core::store::{DeliveryRecord, LogFilter, LogPage, OutboxEntry};

use super::index_condition::{ENDED_BADLY, QUEUED, SENDING};
use super::outbox::{first, last, of_notification};
use super::{Conn, RunQueryDsl, within};
use crate::error::QueryError;
use crate::row::attempt::AttemptRow;
use crate::row::delivery::DeliveryRow;
use crate::row::notification::NotificationRow;
use crate::row::{parse, readable};
use crate::schema::{attempts, deliveries, notifications};

/// Number of notifications read at a time.
const CHUNK: usize = 250;

pub(crate) async fn notification(
    conn: &mut Conn,
    id: NotificationId,
) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, QueryError> {
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
) -> Result<Vec<Delivery>, QueryError> {
    let rows = deliveries::table
        .filter(of_notification(notification))
        .order(deliveries::id)
        .select(DeliveryRow::as_select())
        .load(conn)
        .await?;
    let entries = rows.into_iter().map(|row| readable(row.into_entry()));
    entries
        .filter_map(Result::transpose)
        .map(|entry| Ok(entry?.delivery))
        .collect()
}

async fn attempts_of(
    conn: &mut Conn,
    notification: NotificationId,
) -> Result<HashMap<String, Vec<Attempt>>, QueryError> {
    let rows = attempts::table
        .filter(attempts::delivery.between(first(notification), last(notification)))
        .order((attempts::delivery, attempts::number))
        .select(AttemptRow::as_select())
        .load(conn)
        .await?;
    let mut of_delivery: HashMap<String, Vec<Attempt>> = HashMap::new();
    for row in rows {
        let list = of_delivery.entry(row.delivery.clone()).or_default();
        list.extend(readable(row.into_attempt())?);
    }
    Ok(of_delivery)
}

/// The deliveries of candidates, by their notifications.
async fn deliveries_of_all(
    conn: &mut Conn,
    filter: &LogFilter,
    chunk: &[NotificationRow],
) -> Result<HashMap<NotificationId, Vec<Delivery>>, QueryError> {
    let mut ids: Vec<NotificationId> = Vec::with_capacity(chunk.len());
    for row in chunk {
        let id: Option<NotificationId> = readable(parse(&row.id, "notifications", "id", &row.id))?;
        ids.extend(id);
    }
    let ids = ids.as_slice();
    let (Some(newest), Some(oldest)) = (ids.first(), ids.last()) else {
        return Ok(HashMap::new());
    };
    let picks = filter.contact.is_some() || filter.state.and_then(indexed).is_some();
    let ranges = if picks {
        ids.iter().map(|id| (first(*id), last(*id))).collect()
    } else {
        // Candidates that nothing picked are all there are between them.
        vec![(first(*oldest), last(*newest))]
    };
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for row in within(conn, ranges).await? {
        if let Some(OutboxEntry { delivery, .. }) = readable(row.into_entry())? {
            found
                .entry(delivery.notification)
                .or_default()
                .push(delivery);
        }
    }
    Ok(found)
}

/// A page of the log. Where no index helps, it goes through what there is, newest first, a chunk at a
/// time.
pub(crate) async fn log(conn: &mut Conn, filter: &LogFilter) -> Result<LogPage, QueryError> {
    let limit = filter.limit.get() as usize;
    let most = if filter.needs_scan() {
        LogFilter::LOOKED_THROUGH
    } else {
        u32::MAX
    };
    let mut page = LogPage::default();
    let mut before = filter.before;
    let mut looked_through = 0;
    loop {
        let room = limit - page.entries.len();
        let wanted = if filter.needs_scan() {
            CHUNK
        } else {
            CHUNK.min(room.saturating_add(1))
        };
        let (chunk, is_last) = candidates(conn, filter, before, wanted).await?;
        let mut deliveries = deliveries_of_all(conn, filter, &chunk).await?;
        for row in chunk {
            if page.entries.len() == limit || looked_through == most {
                return Ok(page);
            }
            looked_through += 1;
            let id = row.id.parse();
            page.next = id.ok().or(page.next);
            let Some(notification) = readable(row.into_notification())? else {
                continue;
            };
            let deliveries = deliveries.remove(&notification.id).unwrap_or_default();
            if filter.lets(&notification, &deliveries) {
                page.entries.push((notification, deliveries));
            }
        }
        // What is left when nothing of a chunk has an id cannot be gone past.
        if is_last || page.next == before {
            page.next = None;
            return Ok(page);
        }
        before = page.next;
    }
}

/// The next notifications, newest first, that have what an index knows, and whether they are the last.
async fn candidates(
    conn: &mut Conn,
    filter: &LogFilter,
    before: Option<NotificationId>,
    wanted: usize,
) -> Result<(Vec<NotificationRow>, bool), QueryError> {
    let (first, end) = span(filter, before);
    let limit = i64::try_from(wanted).unwrap_or(i64::MAX);
    let by_state = filter.state.and_then(indexed);
    let to_contact = match &filter.contact {
        Some(contact) if by_state.is_none() => {
            Some(notifications_to(conn, contact, &first, &end, limit).await?)
        }
        _ => None,
    };
    let known = to_contact.as_ref().map(Vec::len);
    let mut query = notifications::table
        .filter(notifications::id.ge(first))
        .filter(notifications::id.lt(end))
        .order(notifications::id.desc())
        .limit(limit)
        .select(NotificationRow::as_select())
        .into_boxed();
    if let Some(to_contact) = to_contact {
        query = query.filter(notifications::id.eq_any(to_contact));
    }
    if let Some((state, index)) = by_state {
        let within = deliveries::table
            .filter(sql::<Bool>(index))
            .filter(deliveries::state.eq(state.as_str()))
            .select(deliveries::notification);
        query = query.filter(notifications::id.eq_any(within));
        if let Some(contact) = &filter.contact {
            let to_contact = deliveries::table
                .filter(deliveries::contact.eq(contact.as_str()))
                .select(deliveries::notification);
            query = query.filter(notifications::id.eq_any(to_contact));
        }
    }
    let rows: Vec<NotificationRow> = query.load(conn).await?;
    let is_last = rows.is_empty() || known.unwrap_or(rows.len()) < wanted;
    Ok((rows, is_last))
}

/// The first id that a filter's times and the page before leave over, and what all are below. One
/// bound at each end, since only one is looked up in an index.
fn span(filter: &LogFilter, before: Option<NotificationId>) -> (String, String) {
    // Ids begin with their time.
    let since = filter.since.map(NotificationId::first_at);
    let until = filter.until.map(NotificationId::first_at);
    let before = before.into_iter().chain(until).min();
    (
        since.map_or_else(String::new, |since| since.to_string()),
        // Above every id there is.
        before.map_or_else(|| "g".into(), |before| before.to_string()),
    )
}

/// Returns the notifications of the newest deliveries to a contact.
async fn notifications_to(
    conn: &mut Conn,
    contact: &Slug,
    first: &str,
    end: &str,
    limit: i64,
) -> Result<Vec<String>, QueryError> {
    let found = deliveries::table
        .filter(deliveries::contact.eq(contact.as_str()))
        .filter(deliveries::id.ge(first))
        .filter(deliveries::id.lt(end))
        .order(deliveries::id.desc())
        .limit(limit)
        .select(deliveries::notification)
        .load(conn)
        .await?;
    Ok(found)
}

/// The condition of the index that knows a state; `None` for those that most are in.
const fn indexed(state: DeliveryState) -> Option<(DeliveryState, &'static str)> {
    match state {
        DeliveryState::Sent | DeliveryState::Delivered => None,
        DeliveryState::Queued => Some((state, QUEUED)),
        DeliveryState::Sending => Some((state, SENDING)),
        _ => Some((state, ENDED_BADLY)),
    }
}
