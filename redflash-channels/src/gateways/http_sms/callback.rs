//! Fields of receipts and inbound messages.

use std::borrow::Cow;

use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Callback, CallbackError};
use redflash_core::inbound::InboundMessage;
use serde::Deserialize;

use super::rule::value_at;
use crate::ConfigError;
use crate::http::short;
use crate::sms::phone;

/// The fields of a receipt: names of fields of its query or body, or pointers (RFC 6901) into a JSON body,
/// such as `/results/0/status`. A request holds one receipt.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFields {
    /// Our reference, `{{reference}}` of the message.
    #[serde(default)]
    pub reference: Option<String>,
    /// The gateway's id of the message, as `message_id` of the answer.
    #[serde(default)]
    pub message_id: Option<String>,
    /// The status of the message.
    pub status: String,
    /// The values of `status` for a delivered message.
    pub delivered: Vec<String>,
    /// The values of `status` for a failed message. All others mean that it is pending.
    #[serde(default)]
    pub failed: Vec<String>,
    /// The price of the message.
    #[serde(default)]
    pub price: Option<String>,
    /// Further details of the status, for the log.
    #[serde(default)]
    pub detail: Option<String>,
}

/// The fields of an inbound message, as in [`ReceiptFields`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundFields {
    /// The sender.
    pub from: String,
    /// The text.
    pub text: String,
    /// The gateway's id of the message, which identifies a repeat.
    #[serde(default)]
    pub id: Option<String>,
}

impl ReceiptFields {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.reference.is_none() && self.message_id.is_none() {
            let reason = "it needs reference or message_id to identify the message";
            return Err(ConfigError::at("receipt", reason));
        }
        if self.delivered.is_empty() {
            let reason = "it needs the statuses of a delivered message";
            return Err(ConfigError::at("receipt.delivered", reason));
        }
        Ok(())
    }

    pub(super) fn read(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let optional = |name: &Option<String>| value(callback, name.as_deref()?);
        let reference = optional(&self.reference);
        let message_id = optional(&self.message_id).map(Cow::into_owned);
        if reference.is_none() && message_id.is_none() {
            return Ok(Vec::new());
        }
        let delivery = reference.and_then(|reference| reference.parse().ok());
        if delivery.is_none() && message_id.is_none() {
            let reason = "its reference is not one of ours";
            return Err(CallbackError::Malformed(reason.into()));
        }
        let status = value(callback, &self.status).unwrap_or_default();
        let is = |values: &[String]| values.iter().any(|value| *value == status);
        let state = if is(&self.delivered) {
            ReceiptState::Delivered
        } else if is(&self.failed) {
            ReceiptState::Failed
        } else {
            ReceiptState::Pending
        };
        let status = short(if status.is_empty() {
            "no status"
        } else {
            &status
        });
        let detail = match optional(&self.detail).map(|text| short(&text)) {
            Some(detail) if !detail.is_empty() => format!("{status} ({detail})"),
            _ => status,
        };
        Ok(vec![Receipt {
            message_id,
            delivery,
            state,
            of_part: false,
            price: optional(&self.price).and_then(|price| price.parse().ok()),
            detail,
        }])
    }
}

impl InboundFields {
    pub(super) fn read(
        &self,
        callback: &Callback<'_>,
    ) -> Result<Vec<InboundMessage>, CallbackError> {
        let from = value(callback, &self.from);
        let text = value(callback, &self.text);
        let (Some(from), Some(text)) = (from, text) else {
            return Ok(Vec::new());
        };
        let from = phone::origin(&from)?;
        let id = self.id.as_deref().and_then(|name| value(callback, name));
        Ok(vec![InboundMessage {
            message_id: id.map(Cow::into_owned),
            from,
            text: text.into_owned(),
            answers: None,
            answers_message: None,
        }])
    }
}

/// Returns the value of a field or at a pointer.
fn value<'a>(callback: &Callback<'a>, name: &str) -> Option<Cow<'a, str>> {
    if name.starts_with('/') {
        let body = std::str::from_utf8(callback.body).ok()?;
        return value_at(body, name).map(Cow::Owned);
    }
    callback.field(name).map(Cow::Borrowed)
}
