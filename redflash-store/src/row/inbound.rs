//! Rows of what people send back.

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::inbound::Inbound;
use redflash_core::model::Slug;

use super::{parse, parse_some, storable};
use crate::error::QueryError;
use crate::schema::{inbound, inbound_contacts};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = inbound, treat_none_as_default_value = false)]
pub(crate) struct InboundRow {
    pub(crate) id: String,
    gateway: String,
    channel: String,
    message_id: Option<String>,
    sender: String,
    body: String,
    received_at: i64,
    answers: Option<String>,
    effect: String,
}

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = inbound_contacts)]
pub(crate) struct InboundContactRow {
    pub(crate) contact: String,
    pub(crate) inbound: String,
}

impl InboundRow {
    pub(crate) fn new(inbound: &Inbound) -> Self {
        Self {
            id: inbound.id.to_string(),
            gateway: inbound.gateway.to_string(),
            channel: inbound.channel.to_string(),
            message_id: inbound.message_id.as_deref().map(storable),
            sender: inbound.from.to_string(),
            body: storable(&inbound.text),
            received_at: inbound.received_at.as_millis(),
            answers: inbound.answers.map(|id| id.to_string()),
            effect: storable(&inbound.effect),
        }
    }

    pub(crate) fn into_inbound(self, contacts: Vec<Slug>) -> Result<Inbound, QueryError> {
        let id = &self.id;
        let bad = |column| QueryError::inconsistent("inbound", column, id);
        Ok(Inbound {
            id: parse(id, "inbound", "id", id)?,
            gateway: parse(&self.gateway, "inbound", "gateway", id)?,
            channel: parse(&self.channel, "inbound", "channel", id)?,
            from: self.sender.clone().try_into().map_err(|_| bad("sender"))?,
            received_at: Timestamp::from_millis(self.received_at),
            answers: parse_some(self.answers.as_deref(), "inbound", "answers", id)?,
            message_id: self.message_id,
            text: self.body,
            contacts,
            effect: self.effect,
        })
    }
}
