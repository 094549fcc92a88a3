//! Rows of deliveries.

use std::collections::HashSet;

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{Delivery, HeldLease, Lane, LeaseGrant, LeaseToken};
use redflash_core::store::{DueQueue, OutboxEntry, Queue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{owner, parse, parse_some, storable};
use crate::error::QueryError;
use crate::schema::deliveries;

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
pub(crate) struct DeliveryRow {
    pub(crate) id: String,
    pub(crate) notification: String,
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
    pub(crate) refused_by: String,
    pub(crate) receipt_due_at: Option<i64>,
    pub(crate) parts_delivered: String,
    pub(crate) lease_token: Option<i64>,
}

/// A queue whose key cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnreadableQueue {
    pub(crate) lane: String,
    pub(crate) raised_by: String,
}

/// Queues, with the time at which the first of each is due, and those that cannot be read.
pub(crate) fn queues(rows: Vec<(String, String, i64)>) -> (Vec<DueQueue>, Vec<UnreadableQueue>) {
    let (mut queues, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
    for (lane, raised_by, due_at) in rows {
        let key = Some(&*raised_by).filter(|key| !key.is_empty());
        match parse_some(key, "deliveries", "raised_by", &raised_by) {
            Ok(key) => queues.push(DueQueue {
                queue: Queue {
                    lane: Lane::stored(lane),
                    raised_by: key,
                },
                due_at: Timestamp::from_millis(due_at),
            }),
            Err(_) => unreadable.push(UnreadableQueue { lane, raised_by }),
        }
    }
    (queues, unreadable)
}

/// Returns the leases that are no longer held.
///
/// * `renewed` - the ids of the deliveries of the others.
pub(crate) fn lost(held: &[HeldLease], renewed: &[String]) -> Vec<HeldLease> {
    let renewed: HashSet<&str> = renewed.iter().map(String::as_str).collect();
    let is_lost = |held: &&HeldLease| !renewed.contains(&*held.delivery.to_string());
    held.iter().filter(is_lost).copied().collect()
}

pub(crate) fn small(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn count(small: i32) -> u32 {
    u32::try_from(small).unwrap_or(0)
}

/// Serializes a list, which is empty for most deliveries.
fn list(items: &[impl Serialize]) -> String {
    if items.is_empty() {
        return String::new();
    }
    serde_json::to_string(items).map_or_else(|_| String::new(), |text| storable(&text))
}

fn listed<T: DeserializeOwned>(text: &str) -> serde_json::Result<Vec<T>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text)
}

/// The columns of a delivery that change after its creation.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = deliveries, treat_none_as_null = true)]
pub(crate) struct Changes {
    pub(crate) state: &'static str,
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
    pub(crate) refused_by: String,
    pub(crate) receipt_due_at: Option<i64>,
    pub(crate) parts_delivered: String,
    pub(crate) lease_token: Option<i64>,
}

impl Changes {
    pub(crate) fn of(entry: &OutboxEntry) -> Self {
        let delivery = &entry.delivery;
        Self {
            state: delivery.state.as_str(),
            attempts: small(delivery.attempts),
            due_at: delivery.due_at.as_millis(),
            first_attempt_at: delivery.first_attempt_at.map(Timestamp::as_millis),
            gateway: delivery.gateway.as_ref().map(ToString::to_string),
            message_id: delivery.message_id.as_deref().map(storable),
            parts: delivery.parts.map(small),
            price: delivery.price.as_ref().map(ToString::to_string),
            detail: storable(&delivery.detail),
            may_repeat: delivery.may_repeat,
            worker: entry.lease.map(|lease| lease.worker.to_string()),
            leased_until: entry.lease.map(|lease| lease.until.as_millis()),
            claims: small(entry.claims),
            refused_by: list(&delivery.refused_by),
            receipt_due_at: delivery.receipt_due_at.map(Timestamp::as_millis),
            parts_delivered: list(&delivery.parts_delivered),
            lease_token: entry.lease.map(|lease| lease.token.as_i64()),
        }
    }
}

impl DeliveryRow {
    pub(crate) fn new(entry: &OutboxEntry) -> Self {
        let delivery = &entry.delivery;
        let changes = Changes::of(entry);
        Self {
            id: delivery.id.to_string(),
            notification: delivery.notification.to_string(),
            contact: delivery.contact.to_string(),
            endpoint: delivery.endpoint.to_string(),
            channel: delivery.channel.to_string(),
            address: delivery.address.as_str().to_owned(),
            via: serde_json::to_string(&delivery.via).unwrap_or_default(),
            lane: delivery.lane.to_string(),
            raised_by: owner(entry.raised_by.as_ref()),
            state: changes.state.to_owned(),
            attempts: changes.attempts,
            due_at: changes.due_at,
            first_attempt_at: changes.first_attempt_at,
            gateway: changes.gateway,
            message_id: changes.message_id,
            parts: changes.parts,
            price: changes.price,
            detail: changes.detail,
            may_repeat: changes.may_repeat,
            worker: changes.worker,
            leased_until: changes.leased_until,
            claims: changes.claims,
            refused_by: changes.refused_by,
            receipt_due_at: changes.receipt_due_at,
            parts_delivered: changes.parts_delivered,
            lease_token: changes.lease_token,
        }
    }

    pub(crate) fn into_entry(self) -> Result<OutboxEntry, QueryError> {
        let bad = |column| QueryError::inconsistent("deliveries", column, &self.id);
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
            refused_by: listed(&self.refused_by).map_err(|_| bad("refused_by"))?,
            receipt_due_at: self.receipt_due_at.map(Timestamp::from_millis),
            parts_delivered: listed(&self.parts_delivered).map_err(|_| bad("parts_delivered"))?,
        };
        Ok(OutboxEntry {
            delivery,
            raised_by,
            lease: worker.zip(until).map(|(worker, until)| LeaseGrant {
                worker,
                // A version without tokens leased it.
                token: LeaseToken::stored(self.lease_token.unwrap_or(0)),
                until,
            }),
            claims,
        })
    }
}
