//! Rows of deliveries.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use redflash_core::store::OutboxEntry;
use redflash_core::{Delivery, Lane, Timestamp};

use super::{parse, parse_some};
use crate::error::Fault;
use crate::schema::deliveries;

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
pub(crate) struct DeliveryRow {
    pub(crate) id: String,
    pub(crate) notification: String,
    pub(crate) place: i32,
    pub(crate) contact: String,
    pub(crate) endpoint: String,
    pub(crate) channel: String,
    pub(crate) address: String,
    pub(crate) via: String,
    pub(crate) lane: String,
    pub(crate) raised_by: String,
    pub(crate) state: String,
    pub(crate) attempts: i32,
    pub(crate) due_at: i64,
    pub(crate) first_attempt_at: Option<i64>,
    pub(crate) gateway: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) parts: Option<i32>,
    pub(crate) price: Option<String>,
    pub(crate) detail: String,
    pub(crate) may_repeat: bool,
    pub(crate) worker: Option<String>,
    pub(crate) leased_until: Option<i64>,
    pub(crate) claims: i32,
}

/// Writes what of a delivery changes in its life.
///
/// Diesel has every `UPDATE` of its own making prepared anew; this one, which is most of what a
/// busy store does, is a text that stays the same and is prepared once.
#[derive(Debug, QueryId)]
pub(crate) struct DeliveryUpdate {
    id: String,
    state: &'static str,
    attempts: i32,
    due_at: i64,
    first_attempt_at: Option<i64>,
    gateway: Option<String>,
    message_id: Option<String>,
    parts: Option<i32>,
    price: Option<String>,
    detail: String,
    may_repeat: bool,
    worker: Option<String>,
    leased_until: Option<i64>,
    claims: i32,
}

fn small(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn count(small: i32) -> u32 {
    u32::try_from(small).unwrap_or(0)
}

impl DeliveryRow {
    pub(crate) fn new(entry: &OutboxEntry, place: i32) -> Self {
        let delivery = &entry.delivery;
        Self {
            id: delivery.id.to_string(),
            notification: delivery.notification.to_string(),
            place,
            contact: delivery.contact.to_string(),
            endpoint: delivery.endpoint.to_string(),
            channel: delivery.channel.to_string(),
            address: delivery.address.to_string(),
            via: serde_json::to_string(&delivery.via).unwrap_or_default(),
            lane: delivery.lane.to_string(),
            raised_by: entry
                .raised_by
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            state: delivery.state.as_str().to_owned(),
            attempts: small(delivery.attempts),
            due_at: delivery.due_at.as_millis(),
            first_attempt_at: delivery.first_attempt_at.map(Timestamp::as_millis),
            gateway: delivery.gateway.as_ref().map(ToString::to_string),
            message_id: delivery.message_id.clone(),
            parts: delivery.parts.map(small),
            price: delivery.price.as_ref().map(ToString::to_string),
            detail: delivery.detail.clone(),
            may_repeat: delivery.may_repeat,
            worker: entry.lease.map(|(worker, _)| worker.to_string()),
            leased_until: entry.lease.map(|(_, until)| until.as_millis()),
            claims: small(entry.claims),
        }
    }

    pub(crate) fn into_entry(self) -> Result<OutboxEntry, Fault> {
        let bad = |column| Fault::inconsistent("deliveries", column, &self.id);
        let id = &self.id;
        let worker = parse_some(self.worker.as_deref(), "deliveries", "worker", id)?;
        let until = self.leased_until.map(Timestamp::from_millis);
        let raised_by = Some(&*self.raised_by).filter(|key| !key.is_empty());
        let raised_by = parse_some(raised_by, "deliveries", "raised_by", id)?;
        let claims = count(self.claims);
        let delivery = Delivery {
            id: parse(id, "deliveries", "id", id)?,
            notification: parse(&self.notification, "deliveries", "notification", id)?,
            contact: parse(&self.contact, "deliveries", "contact", id)?,
            endpoint: parse(&self.endpoint, "deliveries", "endpoint", id)?,
            channel: parse(&self.channel, "deliveries", "channel", id)?,
            address: self
                .address
                .clone()
                .try_into()
                .map_err(|_| bad("address"))?,
            via: serde_json::from_str(&self.via).map_err(|_| bad("via"))?,
            lane: Lane::stored(self.lane.clone()),
            state: parse(&self.state, "deliveries", "state", id)?,
            attempts: count(self.attempts),
            due_at: Timestamp::from_millis(self.due_at),
            first_attempt_at: self.first_attempt_at.map(Timestamp::from_millis),
            gateway: parse_some(self.gateway.as_deref(), "deliveries", "gateway", id)?,
            message_id: self.message_id.clone(),
            parts: self.parts.map(count),
            price: parse_some(self.price.as_deref(), "deliveries", "price", id)?,
            detail: self.detail.clone(),
            may_repeat: self.may_repeat,
        };
        Ok(OutboxEntry {
            delivery,
            raised_by,
            lease: worker.zip(until),
            claims,
        })
    }
}

impl QueryFragment<Sqlite> for DeliveryUpdate {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE deliveries SET state = ");
        out.push_bind_param::<Text, _>(self.state)?;
        out.push_sql(", attempts = ");
        out.push_bind_param::<Integer, _>(&self.attempts)?;
        out.push_sql(", due_at = ");
        out.push_bind_param::<BigInt, _>(&self.due_at)?;
        out.push_sql(", first_attempt_at = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.first_attempt_at)?;
        out.push_sql(", gateway = ");
        out.push_bind_param::<Nullable<Text>, _>(&self.gateway)?;
        out.push_sql(", message_id = ");
        out.push_bind_param::<Nullable<Text>, _>(&self.message_id)?;
        out.push_sql(", parts = ");
        out.push_bind_param::<Nullable<Integer>, _>(&self.parts)?;
        out.push_sql(", price = ");
        out.push_bind_param::<Nullable<Text>, _>(&self.price)?;
        out.push_sql(", detail = ");
        out.push_bind_param::<Text, _>(&self.detail)?;
        out.push_sql(", may_repeat = ");
        out.push_bind_param::<Bool, _>(&self.may_repeat)?;
        out.push_sql(", worker = ");
        out.push_bind_param::<Nullable<Text>, _>(&self.worker)?;
        out.push_sql(", leased_until = ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.leased_until)?;
        out.push_sql(", claims = ");
        out.push_bind_param::<Integer, _>(&self.claims)?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<Text, _>(&self.id)
    }
}

impl RunQueryDsl<SqliteConnection> for DeliveryUpdate {}

impl DeliveryUpdate {
    pub(crate) fn of(entry: &OutboxEntry) -> Self {
        let delivery = &entry.delivery;
        Self {
            id: delivery.id.to_string(),
            state: delivery.state.as_str(),
            attempts: small(delivery.attempts),
            due_at: delivery.due_at.as_millis(),
            first_attempt_at: delivery.first_attempt_at.map(Timestamp::as_millis),
            gateway: delivery.gateway.as_ref().map(ToString::to_string),
            message_id: delivery.message_id.clone(),
            parts: delivery.parts.map(small),
            price: delivery.price.as_ref().map(ToString::to_string),
            detail: delivery.detail.clone(),
            may_repeat: delivery.may_repeat,
            worker: entry.lease.map(|(worker, _)| worker.to_string()),
            leased_until: entry.lease.map(|(_, until)| until.as_millis()),
            claims: small(entry.claims),
        }
    }
}
