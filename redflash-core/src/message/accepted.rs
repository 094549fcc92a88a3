//! The answer of a gateway that accepted a message.

use crate::message::Price;

/// The answer of a gateway that accepted a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The gateway's id of the message.
    pub message_id: Option<String>,
    /// Number of parts it was split into; 1 for channels that do not split.
    pub parts: u32,
    /// Price, if the gateway reports one.
    pub price: Option<Price>,
    /// True if the answer proves that the message arrived, as with a webhook.
    pub delivered: bool,
    /// The gateway's answer, shortened for the log.
    pub detail: String,
}

impl Accepted {
    /// Creates an answer for a message accepted in one part, whose arrival is not known yet.
    pub fn new(message_id: Option<String>) -> Self {
        Self {
            message_id,
            parts: 1,
            ..Self::default()
        }
    }

    /// Creates an answer for a message that arrived: the recipient's system answered itself.
    pub fn delivered(detail: impl Into<String>) -> Self {
        Self {
            parts: 1,
            delivered: true,
            detail: detail.into(),
            ..Self::default()
        }
    }
}
