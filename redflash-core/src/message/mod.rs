//! Messages: the content of a raise, the message rendered from it, and the gateway's answer.

mod accepted;
mod content;
mod idempotency;
mod outbound;
mod price;
mod raise;
mod send_error;

use serde::{Deserialize, Serialize};

pub use accepted::Accepted;
pub use content::Content;
pub use idempotency::Idempotency;
pub use outbound::{Origin, OutboundMessage};
pub use price::{Price, PriceError};
pub use raise::Raise;
pub use send_error::{Deferral, Retry, SendError, SenderError};

/// The message of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Subject, for channels that have one.
    pub subject: String,
    /// Text.
    pub body: String,
    /// Sender, where the gateway allows a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Reason for a fallback text, if the event's template failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// True if the text was cut at the size limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}
