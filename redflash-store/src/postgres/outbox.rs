//! The way of every delivery on Postgres: leased, settled, taken back.

use std::collections::HashSet;
use std::num::NonZeroU32;

use diesel::dsl::sql;
use diesel::prelude::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection, RunQueryDsl};
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{Attempt, HeldLease, Job, Lease, Receipt, Settled, Settlement};
use redflash_core::model::{DeliveryId, Slug, WorkerId};
use redflash_core::store::{ClaimRequest, DueQueue, OutboxEntry, ReceiptEffect};

use super::Conn;
use super::query::index_condition::SENDING;
use super::query::set_aside::set_queue_aside;
use super::query::{claimed, outbox, receipt};
use super::statement::{Claim, DueQueues, Renew, Settle};
use crate::error::QueryError;
use crate::heads::Heads;
use crate::row::attempt::AttemptRow;
use crate::row::delivery::{Changes, DeliveryRow, queues};
use crate::row::notification::NotificationRow;
use crate::row::storable;
use crate::schema::{deliveries, early_receipts, notifications};

pub(super) async fn due_queues(conn: &mut Conn) -> Result<Vec<DueQueue>, QueryError> {
    let (queues, unreadable) = queues(DueQueues.load(conn).await?);
    for queue in &unreadable {
        set_queue_aside(conn, queue).await?;
    }
    Ok(queues)
}

/// Records deliveries, many by one statement.
pub(super) async fn insert(conn: &mut Conn, rows: &[DeliveryRow]) -> Result<(), QueryError> {
    /// As many as one statement has parameters for.
    const ROWS: usize = 1000;
    for rows in rows.chunks(ROWS) {
        let insert = diesel::insert_into(deliveries::table).values(rows);
        insert.execute(conn).await?;
    }
    Ok(())
}

/// Reads a delivery to change it, locked until the transaction ends.
pub(super) async fn entry(
    conn: &mut Conn,
    id: DeliveryId,
) -> Result<Option<OutboxEntry>, QueryError> {
    let row = deliveries::table
        .find(id.to_string())
        .select(DeliveryRow::as_select())
        .for_update()
        .get_result(conn)
        .await
        .optional()?;
    row.map(DeliveryRow::into_entry).transpose()
}

/// Writes back what a change made of an entry.
pub(super) async fn write(conn: &mut Conn, entry: &OutboxEntry) -> Result<(), QueryError> {
    diesel::update(deliveries::table.find(entry.delivery.id.to_string()))
        .set(Changes::of(entry))
        .execute(conn)
        .await?;
    Ok(())
}

/// Returns the deliveries whose lease has expired or belongs to another worker.
pub(super) async fn orphans(
    conn: &mut Conn,
    now: Timestamp,
    except: Option<WorkerId>,
) -> Result<Vec<DeliveryRow>, QueryError> {
    let leased = deliveries::table
        .filter(sql::<Bool>(SENDING))
        .select(DeliveryRow::as_select());
    let ended = deliveries::leased_until.le(now.as_millis());
    let rows = match except {
        None => {
            let ended = leased.filter(ended).for_update().skip_locked();
            ended.load(conn).await?
        }
        Some(worker) => {
            let others = deliveries::worker.ne(worker.to_string());
            let lost = leased.filter(ended.or(others)).for_update().skip_locked();
            lost.load(conn).await?
        }
    };
    Ok(rows)
}

/// Returns the sent deliveries that were not confirmed in time.
pub(super) async fn unconfirmed(
    conn: &mut Conn,
    now: Timestamp,
    limit: NonZeroU32,
) -> Result<Vec<DeliveryRow>, QueryError> {
    let rows = deliveries::table
        .filter(deliveries::receipt_due_at.le(now.as_millis()))
        .order((deliveries::receipt_due_at, deliveries::id))
        .limit(i64::from(limit.get()))
        .select(DeliveryRow::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await?;
    Ok(rows)
}

/// Returns the deliveries leased to these workers, which have ended.
pub(super) async fn leased_to(
    conn: &mut Conn,
    workers: &[String],
) -> Result<Vec<DeliveryRow>, QueryError> {
    let rows = deliveries::table
        .filter(sql::<Bool>(SENDING))
        .filter(deliveries::worker.eq_any(workers))
        .select(DeliveryRow::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await?;
    Ok(rows)
}

pub(super) async fn claim_due(
    conn: &mut Conn,
    lease: &Lease,
    wants: &[ClaimRequest],
    heads: &Heads,
) -> Result<Vec<Job>, QueryError> {
    let mut rows: Vec<DeliveryRow> = Claim::new(lease, wants).load(conn).await?;
    rows.sort_unstable_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));
    claimed::jobs(conn, rows, lease.token, heads).await
}

/// Notifications, by one statement.
pub(super) async fn plans(
    conn: &mut Conn,
    ids: Vec<String>,
) -> Result<Vec<NotificationRow>, QueryError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = notifications::table
        .filter(notifications::id.eq_any(ids))
        .select(NotificationRow::as_select())
        .load(conn)
        .await?;
    Ok(rows)
}

/// Renews leases by one statement. Returns the ids of those that hold.
pub(super) async fn renew(
    conn: &mut Conn,
    worker: WorkerId,
    held: &[HeldLease],
    until: Timestamp,
) -> Result<Vec<String>, QueryError> {
    Ok(Renew::new(worker, held, until).load(conn).await?)
}

/// Ends leases by one statement; those that have passed to another, each for itself.
pub(super) async fn settle(
    conn: &mut Conn,
    worker: WorkerId,
    settlements: &[Settlement],
) -> Result<Vec<Settled>, QueryError> {
    let mut statement = Settle::new(worker);
    let mut sent = Vec::new();
    for settlement in settlements {
        let delivery = &settlement.delivery;
        let (after, attempt) = OutboxEntry::settled(worker, settlement);
        let row = |attempt: Attempt| AttemptRow::new(delivery.id, &attempt);
        statement.push(settlement, &after, attempt.map(row));
        if after.may_have_early_receipts() {
            let message_id = after.delivery.message_id.as_deref().map(storable);
            sent.push((delivery.id, message_id));
        }
    }
    let recorded: Vec<String> = statement.load(conn).await?;
    let recorded: HashSet<String> = recorded.into_iter().collect();
    let mut settled = Vec::with_capacity(settlements.len());
    for settlement in settlements {
        settled.push(if recorded.contains(&settlement.delivery.id.to_string()) {
            Settled::Recorded
        } else {
            let lost =
                conn.transaction(async |conn| outbox::settle(conn, worker, settlement).await);
            lost.await?
        });
    }
    for id in came_early(conn, &sent).await? {
        conn.transaction(async |conn| match entry(conn, id).await? {
            Some(mut entry) => receipt::apply_early(conn, &mut entry).await,
            None => Ok(()),
        })
        .await?;
    }
    Ok(settled)
}

/// Those of which a receipt came before their outcome was known.
async fn came_early(
    conn: &mut Conn,
    sent: &[(DeliveryId, Option<String>)],
) -> Result<Vec<DeliveryId>, QueryError> {
    if sent.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = sent.iter().map(|(id, _)| id.to_string()).collect();
    let messages: Vec<_> = sent.iter().filter_map(|(_, id)| id.clone()).collect();
    let by_gateway = early_receipts::delivery
        .is_null()
        .and(early_receipts::message_id.eq_any(messages));
    let kept: Vec<(Option<String>, Option<String>)> = early_receipts::table
        .filter(early_receipts::delivery.eq_any(ids).or(by_gateway))
        .select((early_receipts::delivery, early_receipts::message_id))
        .load(conn)
        .await?;
    let is_early = |(id, message): &&(DeliveryId, Option<String>)| {
        kept.iter().any(|(delivery, by_gateway)| match delivery {
            Some(delivery) => *delivery == id.to_string(),
            None => message.is_some() && by_gateway == message,
        })
    };
    Ok(sent.iter().filter(is_early).map(|(id, _)| *id).collect())
}

/// Matches a receipt that was kept with a delivery that has become known meanwhile.
pub(super) async fn match_kept(
    conn: &mut Conn,
    gateway: &Slug,
    received: &Receipt,
) -> Result<ReceiptEffect, QueryError> {
    let Some(found) = receipt::find(conn, gateway, received).await? else {
        return Ok(ReceiptEffect::Unmatched);
    };
    let id = found.delivery.id;
    if let Some(mut entry) = entry(conn, id).await? {
        receipt::apply_early(conn, &mut entry).await?;
    }
    Ok(ReceiptEffect::Applied(id))
}
