//! Rows of receipts that came early.

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::model::Slug;

use super::{parse, parse_some, storable};
use crate::error::QueryError;
use crate::schema::early_receipts;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = early_receipts)]
pub(crate) struct EarlyReceiptRow {
    pub(crate) id: i32,
    pub(crate) gateway: String,
    delivery: Option<String>,
    message_id: Option<String>,
    state: String,
    of_part: bool,
    price: Option<String>,
    detail: String,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = early_receipts)]
pub(crate) struct NewEarlyReceipt {
    gateway: String,
    delivery: Option<String>,
    message_id: Option<String>,
    state: &'static str,
    of_part: bool,
    price: Option<String>,
    detail: String,
    received_at: i64,
}

impl NewEarlyReceipt {
    pub(crate) fn new(gateway: &Slug, receipt: &Receipt, now: Timestamp) -> Self {
        Self {
            gateway: gateway.to_string(),
            delivery: receipt.delivery.map(|id| id.to_string()),
            message_id: receipt.message_id.as_deref().map(storable),
            state: match receipt.state {
                ReceiptState::Pending => "pending",
                ReceiptState::Delivered => "delivered",
                ReceiptState::Failed => "failed",
            },
            of_part: receipt.of_part,
            price: receipt.price.as_ref().map(ToString::to_string),
            detail: storable(&receipt.detail),
            received_at: now.as_millis(),
        }
    }
}

impl EarlyReceiptRow {
    pub(crate) fn into_receipt(self) -> Result<(Slug, Receipt), QueryError> {
        let id = self.id.to_string();
        let state = match &*self.state {
            "pending" => ReceiptState::Pending,
            "delivered" => ReceiptState::Delivered,
            "failed" => ReceiptState::Failed,
            _ => return Err(QueryError::inconsistent("early_receipts", "state", &id)),
        };
        let gateway = parse(&self.gateway, "early_receipts", "gateway", &id)?;
        let receipt = Receipt {
            message_id: self.message_id,
            delivery: parse_some(self.delivery.as_deref(), "early_receipts", "delivery", &id)?,
            state,
            of_part: self.of_part,
            price: parse_some(self.price.as_deref(), "early_receipts", "price", &id)?,
            detail: self.detail,
        };
        Ok((gateway, receipt))
    }
}
