//! What a gateway reports about a delivery.

use serde::{Deserialize, Serialize};

use crate::{DeliveryId, Price};

/// What a gateway reports about a delivery. Receipts repeat, and come in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The gateway's own id of the message.
    pub message_id: Option<String>,
    /// The delivery, where the gateway echoes our reference.
    pub delivery: Option<DeliveryId>,
    /// What became of the message.
    pub state: ReceiptState,
    /// Whether it is about one part of the message, and every other part has a receipt of its own.
    pub of_part: bool,
    /// What it cost.
    pub price: Option<Price>,
    /// What the gateway said, short, for the log.
    pub detail: String,
}

/// What became of a message, as the gateway says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// On its way, or nothing known: changes no state.
    Pending,
    /// It arrived.
    Delivered,
    /// It will not arrive.
    Failed,
}
