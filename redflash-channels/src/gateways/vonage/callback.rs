//! Callbacks of Vonage, for both of its APIs: an account's settings choose one of two formats for all of
//! its callbacks, whichever API sent the message.
//!
//! Facts are from the vendor's guides "Delivery Receipts", "Inbound SMS" and "Concatenation and
//! Encoding" of the SMS API, the description of the Messages API (1.4.0), and the guides "Signing
//! Messages" and "Signed Webhooks". A text of several parts comes in one message in the format of the
//! Messages API, and in one message per part in that of the SMS API. Nothing indicates the last part, so
//! each is passed on with its number.

use redflash_core::clock::Timestamp;
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Authenticity, Callback, CallbackError};
use redflash_core::inbound::InboundMessage;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::signature::SignatureMethod;
use crate::ConfigError;
use crate::crypto::{hmac, jwt};
use crate::http::short;
use crate::sms::phone;

/// The format of callbacks, named after an API as in the account's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallbackFormat {
    /// The format of the SMS API.
    #[default]
    Sms,
    /// The format of the Messages API, version 1.
    Messages,
}

/// The format and the signature of an account's callbacks.
#[derive(Debug)]
pub(crate) struct Callbacks {
    pub(crate) format: CallbackFormat,
    pub(crate) method: SignatureMethod,
    /// Empty if they are not signed.
    pub(crate) secrets: Vec<SecretString>,
}

/// Maximum difference between the time of a callback and ours, in seconds.
const TOLERANCE: u64 = 5 * 60;

/// The claims of a token about its callback.
#[derive(Deserialize)]
struct Claims {
    iat: i64,
    payload_hash: String,
}

/// A status or an inbound message in the format of the Messages API.
struct Event(Value);

/// Returns the signing secrets of a configuration, the current one first.
pub(crate) fn secrets(
    current: Option<&SecretString>,
    previous: Option<&SecretString>,
) -> Result<Vec<SecretString>, ConfigError> {
    if current.is_none() && previous.is_some() {
        let reason = "it requires signature_secret";
        return Err(ConfigError::at("previous_signature_secret", reason));
    }
    Ok([current, previous].into_iter().flatten().cloned().collect())
}

impl Callbacks {
    pub(crate) fn authenticate(
        &self,
        callback: &Callback<'_>,
        now: Timestamp,
    ) -> Result<Authenticity, CallbackError> {
        if self.secrets.is_empty() {
            return Ok(Authenticity::Unsigned);
        }
        let signed_at = match self.format {
            CallbackFormat::Sms => self.by_parameters(callback),
            CallbackFormat::Messages => self.by_token(callback),
        };
        let invalid = |reason: &'static str| CallbackError::Signature(reason.into());
        let signed_at = signed_at.map_err(invalid)?;
        if now.as_millis().div_euclid(1000).abs_diff(signed_at) > TOLERANCE {
            return Err(invalid("it is too old, or from the future"));
        }
        Ok(Authenticity::Signed)
    }

    /// Checks the parameter `sig`, and returns the time of the signature.
    fn by_parameters(&self, callback: &Callback<'_>) -> Result<i64, &'static str> {
        let signature = callback.field("sig").ok_or("there is no sig")?;
        let timestamp = callback
            .field("timestamp")
            .and_then(|text| text.parse().ok());
        let signed_at = timestamp.ok_or("there is no timestamp")?;
        let parameters = callback.fields.iter().filter(|(name, _)| name != "sig");
        let parameters: Vec<_> = parameters
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let signature = signature.to_ascii_lowercase();
        let signs = |secret| hmac::equal(&self.method.sign(secret, &parameters), &signature);
        if !self.secrets.iter().any(signs) {
            return Err("sig does not match the parameters");
        }
        Ok(signed_at)
    }

    /// Checks the token in `Authorization`, and returns the time of the signature.
    fn by_token(&self, callback: &Callback<'_>) -> Result<i64, &'static str> {
        let header = callback.header("authorization").unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err("there is no token");
        }
        let claims: Claims = jwt::verified(token.trim(), &self.secrets)?;
        let hash = hmac::hex(&Sha256::digest(callback.body));
        if !hmac::equal(&hash, &claims.payload_hash.to_ascii_lowercase()) {
            return Err("its token is for another body");
        }
        Ok(claims.iat)
    }

    pub(crate) fn receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let receipt = match self.format {
            CallbackFormat::Sms => sms_receipt(callback),
            CallbackFormat::Messages => Event::of(callback)?.receipt(),
        };
        let nameless =
            |receipt: &Receipt| receipt.message_id.is_none() && receipt.delivery.is_none();
        if receipt.as_ref().is_some_and(nameless) {
            return Err(CallbackError::Malformed("it names no message".into()));
        }
        Ok(receipt.into_iter().collect())
    }

    pub(crate) fn inbound(
        &self,
        callback: &Callback<'_>,
    ) -> Result<Vec<InboundMessage>, CallbackError> {
        let (message_id, from, text) = match self.format {
            CallbackFormat::Sms => {
                let from = callback.field("msisdn").map(str::to_owned);
                let id = callback.field("messageId").map(str::to_owned);
                (id, from, sms_text(callback))
            }
            CallbackFormat::Messages => {
                let event = Event::of(callback)?;
                let is_sms = event.text("/channel").as_deref() == Some("sms");
                let text = event.text("/text");
                let is_message = is_sms && event.text("/status").is_none();
                let text = text.filter(|_| is_message);
                (event.text("/message_uuid"), event.text("/from"), text)
            }
        };
        let (Some(from), Some(text)) = (from, text) else {
            return Ok(Vec::new());
        };
        let from = phone::origin(&from)?;
        Ok(vec![InboundMessage {
            message_id,
            from,
            text,
            answers: None,
            answers_message: None,
        }])
    }
}

fn sms_receipt(callback: &Callback<'_>) -> Option<Receipt> {
    let status = callback.field("status");
    let code = callback.field("err-code");
    let state = match (status, code) {
        (Some("delivered"), _) | (None, Some("0")) => ReceiptState::Delivered,
        (Some("failed" | "rejected" | "expired"), _) => ReceiptState::Failed,
        // "accepted" and "buffered" are in transit, "unknown" is no information.
        (Some(_), _) | (None, Some(_)) => ReceiptState::Pending,
        (None, None) => return None,
    };
    let status = short(status.unwrap_or("no status"));
    let code = code.unwrap_or_default();
    Some(Receipt {
        message_id: callback.field("messageId").map(str::to_owned),
        delivery: callback.field("client-ref").and_then(|id| id.parse().ok()),
        state,
        of_part: true,
        price: callback.field("price").and_then(|price| price.parse().ok()),
        detail: match receipt_reason(code) {
            Some(reason) => format!("{status} ({code}: {reason})"),
            None => status,
        },
    })
}

/// Returns the text of an inbound message, with the number of its part if there are several; `None` for
/// other callbacks and for binary messages.
fn sms_text(callback: &Callback<'_>) -> Option<String> {
    if callback.field("type") == Some("binary") || callback.field("status").is_some() {
        return None;
    }
    let text = callback.field("text")?;
    let part = callback.field("concat-part");
    Some(match (part, callback.field("concat-total")) {
        (Some(part), Some(total)) => format!("{text} ({}/{})", short(part), short(total)),
        _ => text.to_owned(),
    })
}

impl Event {
    fn of(callback: &Callback<'_>) -> Result<Self, CallbackError> {
        let document = serde_json::from_slice(callback.body).ok();
        let document = document.filter(Value::is_object);
        let malformed =
            || CallbackError::Malformed("its body is not an event of the Messages API".into());
        document.map(Self).ok_or_else(malformed)
    }

    /// Returns the text or number at a pointer.
    fn text(&self, pointer: &str) -> Option<String> {
        match self.0.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn receipt(&self) -> Option<Receipt> {
        let status = self.text("/status")?;
        let state = match &*status {
            "delivered" | "read" => ReceiptState::Delivered,
            "rejected" | "undeliverable" => ReceiptState::Failed,
            // "submitted" is in transit.
            _ => ReceiptState::Pending,
        };
        let status = short(&status);
        let error = ["/error/title", "/error/detail"].map(|pointer| self.text(pointer));
        let error: Vec<_> = error.into_iter().flatten().collect();
        let price = self.text("/usage/price");
        let client_ref = self.text("/client_ref");
        Some(Receipt {
            message_id: self.text("/message_uuid"),
            delivery: client_ref.and_then(|id| id.parse().ok()),
            state,
            of_part: false,
            price: price.and_then(|price| price.parse().ok()),
            detail: match short(&error.join(": ")) {
                error if error.is_empty() => status,
                error => format!("{status} ({error})"),
            },
        })
    }
}

/// Returns the meaning of the error code of a delivery receipt in the format of the SMS API.
fn receipt_reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "1" => "unknown failure",
        "2" => "temporarily absent",
        "3" => "permanently absent",
        "4" => "barred by the user",
        "5" => "number portability error",
        "6" => "considered spam",
        "7" => "handset busy",
        "8" => "network error",
        "9" => "illegal number, or opted out",
        "10" => "illegal message",
        "11" => "no route",
        "12" => "destination unreachable",
        "13" => "age restriction",
        "14" => "blocked by the carrier",
        "15" => "prepaid card without funds",
        "50" => "entity filter",
        "51" => "header filter",
        "52" => "content filter",
        "53" => "consent filter",
        "54" => "regulation error",
        "99" => "general error",
        _ => return None,
    })
}
