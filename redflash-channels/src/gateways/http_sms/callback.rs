//! Where receipts and inbound messages hold what.

use std::borrow::Cow;

use redflash_core::{Callback, CallbackError, InboundMessage, Receipt, ReceiptState};
use serde::Deserialize;

use super::rule::pointed;
use crate::ConfigError;
use crate::http::short;
use crate::sms::phone;

/// Where a receipt holds what: names of fields of its query or body, or pointers (RFC 6901) into
/// its body where that is JSON, such as `/results/0/status`. A request holds one receipt.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFields {
    /// Our reference, `{{reference}}` of the message.
    #[serde(default)]
    pub reference: Option<String>,
    /// The gateway's id of the message, as `message_id` found it in the answer.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What became of the message.
    pub status: String,
    /// The values of `status` that say that it arrived.
    pub delivered: Vec<String>,
    /// The values of `status` that say that it will not. All others say nothing.
    #[serde(default)]
    pub failed: Vec<String>,
    /// What it cost.
    #[serde(default)]
    pub price: Option<String>,
    /// What the gateway says beside the status, for the log.
    #[serde(default)]
    pub detail: Option<String>,
}

/// Where an inbound message holds what, as in [`ReceiptFields`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundFields {
    /// Who sent it.
    pub from: String,
    /// The text.
    pub text: String,
    /// The gateway's id of it, by which a repeat is known.
    #[serde(default)]
    pub id: Option<String>,
}

impl ReceiptFields {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.reference.is_none() && self.message_id.is_none() {
            let reason = "it needs reference or message_id, by which its message is known";
            return Err(ConfigError::at("receipt", reason));
        }
        if self.delivered.is_empty() {
            let reason = "it needs the values that say that a message arrived";
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
            let reason = "its reference is none of ours";
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

/// The value of a field, or what a pointer points at.
fn value<'a>(callback: &Callback<'a>, name: &str) -> Option<Cow<'a, str>> {
    if name.starts_with('/') {
        let body = std::str::from_utf8(callback.body).ok()?;
        return pointed(body, name).map(Cow::Owned);
    }
    callback.field(name).map(Cow::Borrowed)
}
