//! What is said: the text or the arguments of a raise, the message made of it, and what a gateway
//! answers to it.

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

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The subject, for channels that have one.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Who it says it comes from, where the gateway allows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Why the text is a fallback, when the event's own template failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// Whether the text was cut at the bound for messages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}
