//! Receipts: later reports of gateways about deliveries.

use serde::{Deserialize, Serialize};

use crate::message::Price;
use crate::model::DeliveryId;

/// A gateway's report about a delivery. Receipts repeat, and arrive in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The gateway's id of the message.
    pub message_id: Option<String>,
    /// The delivery, if the gateway echoes our reference.
    pub delivery: Option<DeliveryId>,
    /// Reported state of the message.
    pub state: ReceiptState,
    /// True if it is about one part of the message, and every other part has a receipt of its own.
    pub of_part: bool,
    /// Price of the message.
    pub price: Option<Price>,
    /// The gateway's report, shortened for the log.
    pub detail: String,
}

/// The state of a message, as reported by its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// On its way, or unknown: changes no state.
    Pending,
    /// Arrived.
    Delivered,
    /// Will not arrive.
    Failed,
}
