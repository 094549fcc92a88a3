//! Inbound messages.

use std::collections::HashMap;

use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{Delivery, Receipt, ReceiptState};
use redflash_core::inbound::Inbound;
use redflash_core::model::{DeliveryId, Slug};
use redflash_core::store::InboundFilter;

use super::{Conn, RunQueryDsl, receipt};
use crate::error::QueryError;
use crate::row::inbound::{InboundContactRow, InboundRow};
use crate::row::{parse, storable};
use crate::schema::{inbound, inbound_contacts};

pub(crate) async fn record(conn: &mut Conn, message: &Inbound) -> Result<bool, QueryError> {
    let recorded = diesel::insert_into(inbound::table)
        .values(&InboundRow::new(message))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if recorded == 0 {
        return Ok(false);
    }
    for contact in &message.contacts {
        let row = InboundContactRow {
            contact: contact.to_string(),
            inbound: message.id.to_string(),
        };
        diesel::insert_into(inbound_contacts::table)
            .values(&row)
            .execute(conn)
            .await?;
    }
    Ok(true)
}

pub(crate) async fn knows(
    conn: &mut Conn,
    gateway: &Slug,
    message_id: &str,
) -> Result<bool, QueryError> {
    let found: Option<String> = inbound::table
        .filter(inbound::gateway.eq(gateway.as_str()))
        .filter(inbound::message_id.eq(storable(message_id)))
        .filter(inbound::message_id.is_not_null())
        .select(inbound::id)
        .get_result(conn)
        .await
        .optional()?;
    Ok(found.is_some())
}

pub(crate) async fn list(
    conn: &mut Conn,
    filter: &InboundFilter,
) -> Result<Vec<Inbound>, QueryError> {
    let limit = i64::from(filter.limit.get());
    // Above every id there is.
    let before = filter
        .before
        .map_or_else(|| "g".into(), |id| id.to_string());
    let rows: Vec<InboundRow> = match &filter.contact {
        None => {
            let all = inbound::table.filter(inbound::id.lt(before));
            let page = all.order(inbound::id.desc()).limit(limit);
            page.select(InboundRow::as_select()).load(conn).await?
        }
        Some(contact) => {
            let theirs = inbound_contacts::table
                .inner_join(inbound::table)
                .filter(inbound_contacts::contact.eq(contact.as_str()))
                .filter(inbound_contacts::inbound.lt(before));
            let page = theirs.order(inbound_contacts::inbound.desc()).limit(limit);
            page.select(InboundRow::as_select()).load(conn).await?
        }
    };
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    let mut contacts: HashMap<String, Vec<Slug>> = HashMap::new();
    // In slices, since a statement takes only so many parameters.
    for ids in ids.chunks(500) {
        let named: Vec<InboundContactRow> = inbound_contacts::table
            .filter(inbound_contacts::inbound.eq_any(ids))
            .order(inbound_contacts::contact)
            .select(InboundContactRow::as_select())
            .load(conn)
            .await?;
        for row in named {
            let id = &row.inbound;
            let contact = parse(&row.contact, "inbound_contacts", "contact", id)?;
            contacts.entry(row.inbound).or_default().push(contact);
        }
    }
    rows.into_iter()
        .map(|row| {
            let contacts = contacts.remove(&row.id).unwrap_or_default();
            row.into_inbound(contacts)
        })
        .collect()
}

pub(crate) async fn delivery_of(
    conn: &mut Conn,
    gateway: &Slug,
    delivery: Option<DeliveryId>,
    message_id: Option<&str>,
) -> Result<Option<Delivery>, QueryError> {
    // Found as what a receipt is about.
    let named = Receipt {
        message_id: message_id.map(str::to_owned),
        delivery,
        state: ReceiptState::Pending,
        of_part: false,
        price: None,
        detail: String::new(),
    };
    let found = receipt::find(conn, gateway, &named).await?;
    let through = found.filter(|entry| entry.delivery.gateway.as_ref() == Some(gateway));
    Ok(through.map(|entry| entry.delivery))
}

/// Drops what came before a time.
pub(crate) async fn forget(conn: &mut Conn, before: Timestamp) -> Result<(), QueryError> {
    let old = inbound::table.filter(inbound::received_at.lt(before.as_millis()));
    let ids = old.select(inbound::id);
    diesel::delete(inbound_contacts::table.filter(inbound_contacts::inbound.eq_any(ids)))
        .execute(conn)
        .await?;
    diesel::delete(inbound::table.filter(inbound::received_at.lt(before.as_millis())))
        .execute(conn)
        .await?;
    Ok(())
}
