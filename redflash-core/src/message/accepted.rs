//! What a gateway answers when it took a message.

use crate::Price;

/// A gateway's word that it took a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The gateway's own id of the message.
    pub message_id: Option<String>,
    /// Into how many parts it was cut; 1 for channels that do not cut.
    pub parts: u32,
    /// What it cost, as far as the gateway says.
    pub price: Option<Price>,
    /// Whether the answer is proof that the message arrived, as with a webhook.
    pub delivered: bool,
    /// What the gateway said, short, for the log.
    pub detail: String,
}

impl Accepted {
    /// Taken by the gateway in one part; what becomes of it is not known yet.
    pub fn new(message_id: Option<String>) -> Self {
        Self {
            message_id,
            parts: 1,
            ..Self::default()
        }
    }

    /// Arrived: the answer came from the receiver.
    pub fn delivered(detail: impl Into<String>) -> Self {
        Self {
            parts: 1,
            delivered: true,
            detail: detail.into(),
            ..Self::default()
        }
    }
}
