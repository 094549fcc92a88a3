//! The `BulkSMS` JSON REST API, `POST /v1/messages`: the channel `sms`.
//!
//! Facts are from the vendor's `OpenAPI` description (version 1.0.0). Numbers have their plus. The
//! account's webhooks deliver receipts and replies, as unsigned arrays of messages. Costs are in credits,
//! which are not money.
//!
//! A request carries a `deduplication-id`: a repeat within about twelve hours gets the previous answer
//! and sends nothing. The id is derived from the deliveries in the request, so the vendor recognizes the
//! repeat of a message only together with the same others. Two requests may share an id, since only 31
//! bits are certain to be permitted: among n requests of twelve hours, once in 4 300 000 000 / n² cases.
//! If the answer then concerns the other message, ours goes to another gateway.
//!
//! Our reference, `userSuppliedId`, has at most 20 characters and holds the last 20 digits of the
//! delivery's id. It distinguishes the messages of an answer, but identifies no delivery in a receipt.
//!
//! In a text, `{F0##}`, `{fn##}` and `{sn##}` are fields that the vendor fills in, and no way to escape
//! them is documented: a space after the brace prevents that.
//!
//! The vendor does not document whether one bad message makes it refuse the whole request. We assume so,
//! and retry each message alone.

use std::fmt;
use std::slice;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::ConfigError;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Outcomes, Request, Suspects, account_refusal_by_403, basic,
    endpoint, short, take_first, unanswered,
};
use crate::sms::segments::{SmsText, check_parts, fit};
use crate::sms::{phone, sender_id};

/// Configuration of a `BulkSMS` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkSmsConfig {
    /// The id of an API token, or the account's user name.
    pub token_id: String,
    /// The token's secret, or the account's password.
    pub token_secret: SecretString,
    /// The sender: a number, a short code, or up to 11 letters and digits. Recipients cannot reply to it.
    /// By default the account's settings choose the sender, and whether recipients can reply.
    #[serde(default)]
    pub from: Option<String>,
    /// Maximum number of messages in a request, up to 100. 1 by default, since only then the vendor is
    /// certain to recognize the repeat of a message.
    #[serde(default = "batch")]
    pub batch: u32,
    /// The base URL of the API; `https://api.bulksms.com/v1` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// Maximum number of parts of a message; a longer text is truncated. 6 by default.
    #[serde(default = "crate::sms::segments::six_parts")]
    pub max_parts: u32,
    /// The time limit of a request; 10 s by default.
    #[serde(
        default = "crate::text::duration::ten_seconds",
        with = "crate::text::duration"
    )]
    pub timeout: Duration,
    /// The proxy and the certificates of its connections.
    #[serde(skip)]
    pub http: HttpOptions,
}

const fn batch() -> u32 {
    1
}

fn base_url() -> Url {
    Url::parse("https://api.bulksms.com/v1").expect("it is a URL")
}

/// Sends texts through `BulkSMS`.
pub struct BulkSms {
    config: BulkSmsConfig,
    url: Url,
    login: HeaderValue,
    suspects: Suspects,
    client: Client,
}

impl fmt::Debug for BulkSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkSms")
            .field("url", &self.url.as_str())
            .field("from", &self.config.from)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SendRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Sender<'a>>,
    to: &'a str,
    body: &'a str,
    long_message_max_parts: u32,
    user_supplied_id: String,
}

#[derive(Serialize)]
struct Sender<'a> {
    r#type: &'static str,
    address: &'a str,
}

/// A message in an answer or in a webhook.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    user_supplied_id: Option<String>,
    #[serde(default)]
    related_sent_message_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Status {
    r#type: String,
    #[serde(default)]
    subtype: Option<String>,
}

impl BulkSms {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: BulkSmsConfig) -> Result<Self, ConfigError> {
        if config.token_id.is_empty() || config.token_id.contains(':') {
            let reason = "it must not be empty or contain a colon";
            return Err(ConfigError::at("token_id", reason));
        }
        if config.token_secret.expose_secret().is_empty() {
            return Err(ConfigError::at("token_secret", "it must not be empty"));
        }
        if let Some(from) = &config.from {
            sender_id::check_international(from).map_err(sender_id::invalid_from)?;
        }
        if !(1..=100).contains(&config.batch) {
            return Err(ConfigError::at("batch", "it must be from 1 to 100"));
        }
        check_parts(config.max_parts, 20)?;
        let url = endpoint(&config.base_url, &["messages"])?;
        let login = basic(&config.token_id, &config.token_secret);
        let client = Client::new(Guard::open(), config.timeout, &config.http)?.for_batches();
        Ok(Self {
            config,
            url,
            login,
            suspects: Suspects::default(),
            client,
        })
    }

    fn request(&self, messages: &[OutboundMessage], texts: &[SmsText]) -> Option<Request> {
        let now = messages.first()?.at;
        let senders = messages.iter().map(|message| {
            let from = message.sender.as_ref().or(self.config.from.as_ref());
            from.map(|from| sender_id::with_plus(from))
        });
        let senders: Vec<_> = senders.collect();
        let requests = messages.iter().zip(texts).zip(&senders);
        let requests = requests.map(|((message, sms), from)| SendRequest {
            from: from.as_deref().map(|address| Sender {
                r#type: sender_id::kind(address),
                address,
            }),
            to: message.to.as_str(),
            body: &sms.text,
            long_message_max_parts: self.config.max_parts,
            user_supplied_id: reference(message),
        });
        let requests: Vec<_> = requests.collect();
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("auto-unicode", "true")
            .append_pair("deduplication-id", &deduplication_id(messages).to_string());
        let request = Request::json(url, &requests, now);
        Some(request.header(AUTHORIZATION, self.login.clone()))
    }
}

/// Returns the end of the delivery's id, as much as fits.
fn reference(message: &OutboundMessage) -> String {
    message.delivery.to_string()[12..].to_owned()
}

/// Returns the same number for the same deliveries in any order. It is not negative, since the vendor does
/// not document negative ids.
fn deduplication_id(messages: &[OutboundMessage]) -> u32 {
    let mut deliveries: Vec<_> = messages.iter().map(|message| message.delivery).collect();
    deliveries.sort_unstable();
    let mut hash = Sha256::new();
    for delivery in deliveries {
        hash.update(delivery.to_string());
    }
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    u32::from_be_bytes([a, b, c, d]) >> 1
}

/// Returns a text without fields that the vendor would fill in.
fn literal(text: &str) -> String {
    let mut pieces = text.split('{');
    let mut literal = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        literal.push_str(if starts_a_field(piece) { "{ " } else { "{" });
        literal.push_str(piece);
    }
    literal
}

/// Returns true if the text after a brace is the name of a field.
fn starts_a_field(text: &str) -> bool {
    let name = text.split(['#', '}']).next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let number = name.strip_prefix('f').unwrap_or_default();
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    numbered || name == "fn" || name == "sn"
}

#[async_trait]
impl Channel for BulkSms {
    fn kind(&self) -> ChannelKind {
        ChannelKind::sms()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: true,
            inbound: true,
            sender: true,
            idempotent: self.config.batch == 1,
            batch: self.config.batch,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        phone::parse(raw)
    }

    fn own_address(&self) -> Option<Address> {
        phone::own(self.config.from.as_deref())
    }

    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        sender_id::check_international(sender)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let outcome = self.send_batch(slice::from_ref(message)).await.pop();
        outcome.unwrap_or_else(|| Err(unanswered()))
    }

    fn goes_with(&self, others: &[&OutboundMessage], message: &OutboundMessage) -> bool {
        self.suspects.may_go_with(others, message)
    }

    async fn send_batch(&self, messages: &[OutboundMessage]) -> Outcomes {
        let fit = |message: &OutboundMessage| fit(&literal(&message.body), self.config.max_parts);
        let texts: Vec<_> = messages.iter().map(fit).collect();
        let Some(request) = self.request(messages, &texts) else {
            return Vec::new();
        };
        let results = match self.client.send(request).await {
            Ok(answer) => results(&answer),
            Err(error) => Err(error),
        };
        let mut results = match results {
            Ok(results) => results,
            Err(error) => return self.suspects.all_failed(&error, messages),
        };
        let others = is_of_others(&results, messages);
        let outcomes = messages.iter().zip(texts).map(|(message, sms)| {
            let ours = reference(message);
            let result = take_first(&mut results, |result| match &result.user_supplied_id {
                Some(reference) => *reference == ours,
                None => messages.len() == 1,
            });
            outcome(result.ok_or_else(|| missing(others))?, &sms)
        });
        let outcomes = outcomes.collect();
        self.suspects.forget_ended(messages, &outcomes);
        outcomes
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let messages = webhook_messages(callback, "SENT")?;
        Ok(messages.into_iter().map(receipt).collect())
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let read = |message: Message| {
            Ok(InboundMessage {
                message_id: message.id,
                from: phone::origin(&message.from.unwrap_or_default())?,
                text: message.body.unwrap_or_default(),
                answers: None,
                answers_message: message.related_sent_message_id,
            })
        };
        let messages = webhook_messages(callback, "RECEIVED")?;
        messages.into_iter().map(read).collect()
    }
}

/// Returns the messages of an answer, or the error of them all.
fn results(answer: &Answer) -> Result<Vec<Message>, SendError> {
    match answer.status.as_u16() {
        200..300 => answer
            .json()
            .ok_or_else(|| SendError::Unknown(answer.detail().into())),
        // A 403 is "insufficient credits", or an account that may not send.
        _ => Err(account_refusal_by_403(answer)),
    }
}

/// Returns true if an answer concerns other messages than those of the request: the vendor reads the
/// request as the repeat of another with the same deduplication id.
fn is_of_others(results: &[Message], messages: &[OutboundMessage]) -> bool {
    let ours: Vec<_> = messages.iter().map(reference).collect();
    let other = |result: &Message| {
        let reference = result.user_supplied_id.as_ref();
        reference.is_some_and(|reference| !ours.contains(reference))
    };
    !results.is_empty() && results.iter().all(other)
}

/// Returns the error of a message that the answer does not mention.
fn missing(others: bool) -> SendError {
    if others {
        let reason = "its deduplication id is that of another message";
        return SendError::Unroutable {
            reason: reason.into(),
        };
    }
    unanswered()
}

/// Returns the outcome of one message.
fn outcome(result: Message, sms: &SmsText) -> Result<Accepted, SendError> {
    let status = result.status.as_ref();
    let reason = status.map_or_else(|| "no status".into(), Status::detail);
    match status.map(|status| (&*status.r#type, status.subtype.as_deref())) {
        Some(("FAILED", Some("BLOCKED"))) => Err(SendError::InvalidAddress { reason }),
        Some(("FAILED", Some("NOT_SENT"))) => Err(SendError::Unroutable { reason }),
        Some(("FAILED", _)) => Err(SendError::Rejected { reason }),
        _ => Ok(sms.accepted(result.id, reason)),
    }
}

impl Status {
    fn detail(&self) -> String {
        let kind = short(&self.r#type);
        match self.subtype.as_deref() {
            None => kind,
            Some("EXPIRED") => format!("{kind}.EXPIRED: not delivered in time"),
            Some("HANDSET_ERROR") => format!("{kind}.HANDSET_ERROR: the phone failed"),
            Some("BLOCKED") => format!("{kind}.BLOCKED: the number is blocked"),
            Some("NOT_SENT") => format!("{kind}.NOT_SENT: not attempted, such as without a route"),
            Some(other) => format!("{kind}.{}", short(other)),
        }
    }
}

/// Returns the messages of a webhook with this direction. Registering a webhook sends it an empty list.
fn webhook_messages(
    callback: &Callback<'_>,
    direction: &str,
) -> Result<Vec<Message>, CallbackError> {
    let messages: Result<Vec<Message>, _> = serde_json::from_slice(callback.body);
    let mut messages =
        messages.map_err(|error| CallbackError::Malformed(short(&error.to_string()).into()))?;
    messages.retain(|message| message.r#type.as_deref() == Some(direction));
    Ok(messages)
}

fn receipt(message: Message) -> Receipt {
    let status = message.status.as_ref();
    Receipt {
        message_id: message.id,
        delivery: None,
        state: match status.map(|status| &*status.r#type) {
            Some("DELIVERED") => ReceiptState::Delivered,
            Some("FAILED") => ReceiptState::Failed,
            // Accepted, scheduled, sent, unknown.
            _ => ReceiptState::Pending,
        },
        of_part: false,
        price: None,
        detail: status.map_or_else(|| "no status".into(), Status::detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_fields() {
        for (text, written) in [
            ("Hi {fn######} {sn#}!", "Hi { fn######} { sn#}!"),
            ("{F0###} {f12}", "{ F0###} { f12}"),
            ("{{F0#}}", "{{ F0#}}"),
            (
                "{\"fn\": 1} {function} {F} {} {",
                "{\"fn\": 1} {function} {F} {} {",
            ),
            ("a } b", "a } b"),
            ("", ""),
        ] {
            assert_eq!(literal(text), written);
        }
    }
}
