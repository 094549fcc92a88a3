//! What comes back from a gateway: receipts for what was sent, and messages people send.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Address, DeliveryId, Price};

/// A request that a gateway made to us, with everything a channel needs to read and check it.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The whole URL as the gateway called it, for signatures over it: our public URL, the path and
    /// the query.
    pub url: &'a str,
    /// The fields of the query and of a form or flat JSON body, in order, decoded.
    pub fields: &'a [(String, String)],
    /// The headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body as it came, for signatures over it.
    pub body: &'a [u8],
}

impl<'a> Callback<'a> {
    /// The value of a field: of several of one name, the last.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        let mut from_last = self.fields.iter().rev();
        from_last
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Why a callback could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The channel has no such callback.
    #[error("this channel has no such callback")]
    Unsupported,
    /// The signature is missing, wrong or too old.
    #[error("the callback's signature does not hold: {0}")]
    Signature(Cow<'static, str>),
    /// The callback lacks something or holds nonsense.
    #[error("the callback makes no sense: {0}")]
    Malformed(Cow<'static, str>),
}

/// What a callback's signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// The channel is not configured to check signatures.
    Unsigned,
    /// It holds.
    Signed,
}

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

/// A message that a person sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// The gateway's own id of the message, by which a repeat is known.
    pub message_id: Option<String>,
    /// Who sent it, in the channel's normal form.
    pub from: Address,
    /// The text.
    pub text: String,
    /// The delivery it answers, where the gateway echoes our reference.
    pub answers: Option<DeliveryId>,
    /// The gateway's own id of the message it answers.
    pub answers_message: Option<String>,
}
