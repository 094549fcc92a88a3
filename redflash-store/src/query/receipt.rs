//! Receipts, and those that come before what they are about.

use std::time::Duration;

use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Receipt;
use redflash_core::model::Slug;
use redflash_core::store::{OutboxEntry, ReceiptEffect, Received};

use super::{Conn, RunQueryDsl, entry, write};
use crate::error::QueryError;
use crate::row::receipt::{EarlyReceiptRow, NewEarlyReceipt};
use crate::row::{parse, readable, storable};
use crate::schema::{deliveries, early_receipts};

/// Lifetime of a receipt for an unknown delivery.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) async fn record(
    conn: &mut Conn,
    gateway: &Slug,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<ReceiptEffect, QueryError> {
    let Some(mut entry) = find(conn, gateway, receipt).await? else {
        if receipt.delivery.is_none() {
            keep(conn, gateway, receipt, now).await?;
        }
        return Ok(ReceiptEffect::Unmatched);
    };
    let id = entry.delivery.id;
    match entry.receive(gateway, receipt, now) {
        Received::Applied => write(conn, &entry).await?,
        Received::Early => keep(conn, gateway, receipt, now).await?,
        Received::Known => return Ok(ReceiptEffect::Known(id)),
        Received::NotOurs => return Ok(ReceiptEffect::Unmatched),
    }
    Ok(ReceiptEffect::Applied(id))
}

pub(crate) async fn find(
    conn: &mut Conn,
    gateway: &Slug,
    receipt: &Receipt,
) -> Result<Option<OutboxEntry>, QueryError> {
    if let Some(id) = receipt.delivery {
        return entry(conn, id).await;
    }
    let message_id = receipt.message_id.as_deref().map(storable);
    let found: Option<String> = deliveries::table
        .filter(deliveries::message_id.is_not_null())
        .filter(deliveries::message_id.eq(&message_id))
        .filter(deliveries::gateway.eq(gateway.as_str()))
        .select(deliveries::id)
        .get_result(conn)
        .await
        .optional()?;
    let Some(id) = found else {
        return Ok(None);
    };
    let entry = entry(conn, parse(&id, "deliveries", "id", &id)?).await?;
    // It may have changed before it could be had alone.
    Ok(entry.filter(|entry| {
        let delivery = &entry.delivery;
        delivery.message_id == message_id && delivery.gateway.as_ref() == Some(gateway)
    }))
}

async fn keep(
    conn: &mut Conn,
    gateway: &Slug,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<(), QueryError> {
    forget(conn, now.minus(KEPT)).await?;
    let row = NewEarlyReceipt::new(gateway, receipt, now);
    diesel::insert_into(early_receipts::table)
        .values(&row)
        .execute(conn)
        .await?;
    Ok(())
}

/// Drops what has been kept since before a time.
pub(crate) async fn forget(conn: &mut Conn, before: Timestamp) -> Result<(), QueryError> {
    let old = early_receipts::received_at.lt(before.as_millis());
    diesel::delete(early_receipts::table.filter(old))
        .execute(conn)
        .await?;
    Ok(())
}

/// Applies what came before the delivery was known to be sent, and writes what that changes.
pub(crate) async fn apply_early(
    conn: &mut Conn,
    entry: &mut OutboxEntry,
) -> Result<(), QueryError> {
    let id = entry.delivery.id.to_string();
    let columns = EarlyReceiptRow::as_select();
    let named = early_receipts::table.filter(early_receipts::delivery.eq(id));
    let mut rows = named.select(columns).load(conn).await?;
    if let Some(message_id) = &entry.delivery.message_id {
        let by_gateway = early_receipts::table
            .filter(early_receipts::delivery.is_null())
            .filter(early_receipts::message_id.eq(storable(message_id)));
        rows.extend(by_gateway.select(columns).load(conn).await?);
    }
    for row in rows {
        let kept = row.id;
        let Some((gateway, receipt)) = readable(row.into_receipt())? else {
            diesel::delete(early_receipts::table.find(kept))
                .execute(conn)
                .await?;
            continue;
        };
        let at = entry.delivery.due_at;
        let received = entry.receive(&gateway, &receipt, at);
        if received == Received::Applied {
            write(conn, entry).await?;
        }
        if received != Received::NotOurs {
            diesel::delete(early_receipts::table.find(kept))
                .execute(conn)
                .await?;
        }
    }
    Ok(())
}
