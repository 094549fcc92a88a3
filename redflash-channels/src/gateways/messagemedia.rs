//! The Sinch `MessageMedia` REST API, `POST /v1/messages`: the channel `sms`.
//!
//! Facts are from the vendor's `OpenAPI` description (version 2.1.0, July 2026). Numbers have their
//! plus. A request holds up to 100 messages, and if one of them is invalid none is sent. The metadata of
//! a message comes back in the answer, in its receipts and in the replies to it, so it carries our
//! reference. Receipts and replies come to one URL, which each message names. Billing is in units, not
//! money.
//!
//! The texts of refusals are not documented. We consider a message invalid if they name its index in the
//! request or its number. The others were certainly not sent and are retried; if no message is named, all
//! are retried alone. Signed callbacks exist, but their signature is not documented: the secret in the URL
//! authenticates them.

use std::fmt;
use std::slice;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind, DeliveryId};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ConfigError;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Outcomes, Request, Suspects, account_refusal_by_403, basic,
    callback_url, endpoint, short, take_first, unanswered,
};
use crate::sms::segments::{SmsText, check_parts, fit};
use crate::sms::{phone, sender_id};

/// Configuration of a `MessageMedia` account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageMediaConfig {
    /// The key for the API.
    pub api_key: String,
    /// The key's secret.
    pub api_secret: SecretString,
    /// The sender: a number, a short code, or up to 11 letters and digits, registered with the
    /// account. By default the account's own number.
    #[serde(default)]
    pub from: Option<String>,
    /// The URL for receipts and replies; by default one below the server's public URL.
    #[serde(default)]
    pub callback_url: Option<SecretString>,
    /// The base URL of the API; `https://api.messagemedia.com` by default. In Europe it is
    /// `https://eu.app.api.sinch.com`.
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

fn base_url() -> Url {
    Url::parse("https://api.messagemedia.com").expect("it is a URL")
}

/// Maximum number of messages in a request.
const BATCH: u32 = 100;

/// Sends texts through `MessageMedia`.
pub struct MessageMedia {
    config: MessageMediaConfig,
    url: Url,
    login: HeaderValue,
    callback_url: Option<Url>,
    suspects: Suspects,
    client: Client,
}

impl fmt::Debug for MessageMedia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageMedia")
            .field("url", &self.url.as_str())
            .field("from", &self.config.from)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct SendRequest<'a> {
    messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
struct Message<'a> {
    content: &'a str,
    destination_number: &'a str,
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_number_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
    delivery_report: bool,
    metadata: Metadata,
}

/// The metadata of a message, which its results, receipts and replies repeat.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Metadata {
    #[serde(default)]
    delivery: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SendResponse {
    messages: Vec<MessageResult>,
}

#[derive(Debug, Deserialize)]
struct MessageResult {
    message_id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct ErrorBody {
    message: String,
    #[serde(default)]
    details: Vec<String>,
}

/// A receipt or a reply; a reply has an id of its own.
#[derive(Debug, Deserialize)]
struct CallbackBody {
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    reply_id: Option<String>,
    #[serde(default)]
    source_number: Option<String>,
    #[serde(default)]
    content: Option<String>,
}

impl MessageMedia {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: MessageMediaConfig) -> Result<Self, ConfigError> {
        if config.api_key.is_empty() || config.api_key.contains(':') {
            let reason = "it must not be empty or contain a colon";
            return Err(ConfigError::at("api_key", reason));
        }
        if config.api_secret.expose_secret().is_empty() {
            return Err(ConfigError::at("api_secret", "it must not be empty"));
        }
        if let Some(from) = &config.from {
            sender_id::check_international(from).map_err(sender_id::invalid_from)?;
        }
        check_parts(config.max_parts, 20)?;
        let url = endpoint(&config.base_url, &["v1", "messages"])?;
        let login = basic(&config.api_key, &config.api_secret);
        let callback_url = config.callback_url.as_ref().map(callback_url).transpose()?;
        let client = Client::new(Guard::open(), config.timeout, &config.http)?.for_batches();
        Ok(Self {
            config,
            url,
            login,
            callback_url,
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
        let messages = messages.iter().zip(texts).zip(&senders);
        let messages = messages.map(|((message, sms), from)| Message {
            content: &sms.text,
            destination_number: message.to.as_str(),
            format: "SMS",
            source_number: from.as_deref(),
            source_number_type: from.as_deref().map(sender_id::kind),
            callback_url: self.callback_url.as_ref().map(Url::as_str),
            delivery_report: self.callback_url.is_some(),
            metadata: Metadata {
                delivery: Some(message.delivery.to_string()),
            },
        });
        let body = SendRequest {
            messages: messages.collect(),
        };
        let request = Request::json(self.url.clone(), &body, now);
        Some(request.header(AUTHORIZATION, self.login.clone()))
    }
}

impl MessageMedia {
    /// Returns the outcome of each message of a refused request.
    fn refused(&self, answer: &Answer, messages: &[OutboundMessage]) -> Outcomes {
        let Some(ErrorBody { message, details }) = answer.json().filter(|_| answer.status == 400)
        else {
            // A 403 concerns a feature that the account lacks, or its credentials.
            let refusal = account_refusal_by_403(answer);
            return self.suspects.all_failed(&refusal, messages);
        };
        let error_of = |index, sent: &OutboundMessage| {
            let mut errors = details.iter().chain([&message]).map(String::as_str);
            errors.find(|error| names(error, index, sent.to.as_str()))
        };
        let indexed = messages.iter().enumerate();
        let errors: Vec<_> = indexed.map(|(index, sent)| error_of(index, sent)).collect();
        if errors.iter().all(Option::is_none) {
            let any = details.first().map(String::as_str);
            let refusal = send_error(any, answer.detail());
            return self.suspects.all_failed(&refusal, messages);
        }
        let outcomes = errors.into_iter().map(|error| {
            let reason = answer.detail();
            Err(match error {
                Some(_) => send_error(error, reason),
                // The gateway works, and this message is valid: another one was refused.
                None => SendError::Deferred {
                    scope: Deferral::Recipient,
                    reason,
                    retry_after: None,
                },
            })
        });
        outcomes.collect()
    }
}

impl Metadata {
    fn delivery(&self) -> Option<DeliveryId> {
        self.delivery.as_ref()?.parse().ok()
    }
}

#[async_trait]
impl Channel for MessageMedia {
    fn kind(&self) -> ChannelKind {
        ChannelKind::sms()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: self.callback_url.is_some(),
            inbound: self.callback_url.is_some(),
            sender: true,
            batch: BATCH,
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
        let fit = |message: &OutboundMessage| fit(&message.body, self.config.max_parts);
        let texts: Vec<_> = messages.iter().map(fit).collect();
        let Some(request) = self.request(messages, &texts) else {
            return Vec::new();
        };
        let answer = match self.client.send(request).await {
            Ok(answer) => answer,
            Err(error) => return self.suspects.all_failed(&error, messages),
        };
        if !answer.status.is_success() {
            return self.refused(&answer, messages);
        }
        let Some(SendResponse { messages: results }) = answer.json() else {
            let unknown = SendError::Unknown(answer.detail().into());
            return self.suspects.all_failed(&unknown, messages);
        };
        let outcomes = accepted(results, messages, &texts);
        self.suspects.forget_ended(messages, &outcomes);
        outcomes
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let body = parse(callback)?;
        let Some(status) = body.status.filter(|_| body.reply_id.is_none()) else {
            return Ok(Vec::new());
        };
        let code = body.error_code.unwrap_or_default();
        let detail = match receipt_reason(&code) {
            Some(reason) => format!("{} ({code}: {reason})", short(&status)),
            None if code.is_empty() => short(&status),
            None => format!("{} ({})", short(&status), short(&code)),
        };
        Ok(vec![Receipt {
            message_id: body.message_id,
            delivery: body.metadata.and_then(|metadata| metadata.delivery()),
            state: match &*status {
                "delivered" => ReceiptState::Delivered,
                "expired" | "rejected" | "failed" | "undeliverable" | "cancelled" => {
                    ReceiptState::Failed
                }
                // Queued, scheduled, processed, en route, submitted, held.
                _ => ReceiptState::Pending,
            },
            of_part: false,
            price: None,
            detail,
        }])
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let body = parse(callback)?;
        if body.reply_id.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![InboundMessage {
            message_id: body.reply_id,
            from: phone::origin(&body.source_number.unwrap_or_default())?,
            text: body.content.unwrap_or_default(),
            answers: body.metadata.and_then(|metadata| metadata.delivery()),
            answers_message: body.message_id,
        }])
    }
}

/// Returns the outcome of each message of an accepted request.
fn accepted(
    mut results: Vec<MessageResult>,
    messages: &[OutboundMessage],
    texts: &[SmsText],
) -> Outcomes {
    let outcomes = messages.iter().zip(texts).map(|(message, sms)| {
        let result = take_first(&mut results, |result| match &result.metadata {
            Some(Metadata { delivery: Some(id) }) => *id == message.delivery.to_string(),
            _ => messages.len() == 1,
        });
        let result = result.ok_or_else(unanswered)?;
        Ok(sms.accepted(Some(result.message_id), short(&result.status)))
    });
    outcomes.collect()
}

/// Maps the error text about a message to a send error.
fn send_error(error: Option<&str>, reason: String) -> SendError {
    match error {
        Some(text) if text.contains("destination_number") => SendError::InvalidAddress { reason },
        Some(text) if text.contains("source_number") => SendError::Unroutable { reason },
        _ => SendError::Rejected { reason },
    }
}

/// Returns true if an error names the message with this index in the request and this number.
fn names(error: &str, index: usize, number: &str) -> bool {
    let paths = [
        format!("messages[{index}]"),
        format!("messages/{index}/"),
        format!("messages.{index}."),
    ];
    error.contains(number) || paths.iter().any(|path| error.contains(path))
}

fn parse(callback: &Callback<'_>) -> Result<CallbackBody, CallbackError> {
    let body: Result<CallbackBody, _> = serde_json::from_slice(callback.body);
    body.map_err(|error| CallbackError::Malformed(short(&error.to_string()).into()))
}

/// Returns the meaning of a receipt's status code.
fn receipt_reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "101" | "102" | "151" => "being processed",
        "200" | "201" | "202" | "203" | "204" | "205" | "206" | "207" | "208" | "209" | "210"
        | "211" | "212" | "213" => "submitted",
        "220" | "221" => "delivered",
        "301" => "usage threshold reached",
        "302" | "303" => "blocked",
        "304" => "dropped",
        "305" => "considered a duplicate",
        "320" | "401" => "expired",
        "330" => "gateway failure",
        "331" => "discarded",
        "332" => "no route",
        "333" => "sender not supported",
        "400" => "undeliverable",
        "402" => "rejected by the provider",
        "403" => "skipped by the provider",
        "405" => "cancelled",
        "410" => "sender invalid",
        "411" => "number invalid",
        "412" => "number blocked",
        "413" => "no text messages there",
        "414" => "unreachable",
        _ => return None,
    })
}
