//! Clickatell's One API, `POST /v1/message`: the channel `sms`.
//!
//! Facts are from the vendor's guides "Send messages" and "Customer callbacks", its help page "One
//! API Client Callbacks", its tables of errors and message statuses, and typed clients of the API.
//! Numbers have no plus. A request holds up to 200 messages by one page and 100 by a client of the API,
//! so 100 here. The answer is 202, or 207 if the messages have different outcomes; it identifies each
//! message by its number, without our reference. Callbacks are not signed, concern several kinds of
//! events, and carry no price.
//!
//! Not documented are the maximum length of a `clientMessageId` (32 characters here), the status of a
//! refusal of one message (202, 207 and 4xx are read alike), and whether the event `EMULATED` follows a
//! message that arrived (it is read as pending).

use std::fmt;
use std::slice;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ConfigError;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Outcomes, Request, Suspects, account_refusal, endpoint,
    secret_header, short, take_first, unanswered,
};
use crate::sms::segments::{SmsText, check_parts, fit};
use crate::sms::{phone, sender_id};

/// Configuration of a Clickatell integration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickatellConfig {
    /// The integration's API key.
    pub api_key: SecretString,
    /// The sender: up to 15 digits, or up to 11 letters and digits. Only for two-way integrations; none by
    /// default.
    #[serde(default)]
    pub from: Option<String>,
    /// The base URL of the API; `https://platform.clickatell.com` by default.
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
    Url::parse("https://platform.clickatell.com").expect("it is a URL")
}

/// Maximum number of messages in a request.
const BATCH: u32 = 100;

/// Sends texts through Clickatell.
pub struct Clickatell {
    config: ClickatellConfig,
    url: Url,
    login: HeaderValue,
    suspects: Suspects,
    client: Client,
}

impl fmt::Debug for Clickatell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clickatell")
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
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    channel: &'static str,
    to: &'a str,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    client_message_id: String,
}

#[derive(Debug, Deserialize)]
struct SendResponse {
    #[serde(default)]
    messages: Option<Vec<MessageResult>>,
    #[serde(default)]
    error: Option<ErrorBody>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageResult {
    #[serde(default)]
    api_message_id: Option<String>,
    #[serde(default)]
    accepted: bool,
    #[serde(default)]
    to: String,
    #[serde(default)]
    error: Option<ErrorBody>,
}

#[derive(Debug, Deserialize)]
struct ErrorBody {
    code: u32,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CallbackBody {
    event: Event,
}

/// An event of one of the kinds that are read here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    message_status_update: Vec<StatusUpdate>,
    #[serde(default)]
    mo_text: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusUpdate {
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    client_message_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    status_code: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    related_message_id: Option<String>,
    #[serde(default)]
    related_client_message_id: Option<String>,
    from: String,
    #[serde(default)]
    content: String,
}

impl Clickatell {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: ClickatellConfig) -> Result<Self, ConfigError> {
        let login = secret_header("api_key", "", &config.api_key)?;
        if let Some(from) = &config.from {
            sender_id::check(from).map_err(sender_id::invalid_from)?;
        }
        check_parts(config.max_parts, 20)?;
        let url = endpoint(&config.base_url, &["v1", "message"])?;
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
        let messages = messages.iter().zip(texts).map(|(message, sms)| Message {
            channel: "sms",
            to: number(message),
            content: &sms.text,
            from: message.sender.as_deref().or(self.config.from.as_deref()),
            client_message_id: message.delivery.to_string(),
        });
        let body = SendRequest {
            messages: messages.collect(),
        };
        let request = Request::json(self.url.clone(), &body, now);
        Some(request.header(AUTHORIZATION, self.login.clone()))
    }
}

/// Returns the number without its plus.
fn number(message: &OutboundMessage) -> &str {
    message.to.as_str().trim_start_matches('+')
}

#[async_trait]
impl Channel for Clickatell {
    fn kind(&self) -> ChannelKind {
        ChannelKind::sms()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: true,
            inbound: true,
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
        sender_id::check(sender)
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
        let results = match self.client.send(request).await {
            Ok(answer) => results(&answer),
            Err(error) => Err(error),
        };
        let mut results = match results {
            Ok(results) => results,
            Err(error) => return self.suspects.all_failed(&error, messages),
        };
        let outcomes = messages.iter().zip(texts).map(|(message, sms)| {
            // The answer to a single message concerns that one, in whatever form it has the number.
            let result = take_first(&mut results, |result| {
                messages.len() == 1 || result.to.trim_start_matches('+') == number(message)
            });
            outcome(result.ok_or_else(unanswered)?, &sms)
        });
        let outcomes = outcomes.collect();
        self.suspects.forget_ended(messages, &outcomes);
        outcomes
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let updates = event(callback)?.message_status_update.into_iter();
        let updates = updates.filter(|update| is_sms(update.channel.as_deref()));
        Ok(updates.map(receipt).collect())
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let texts = event(callback)?.mo_text.into_iter();
        let texts = texts.filter(|text| is_sms(text.channel.as_deref()));
        let read = |text: Text| {
            let answers = text.related_client_message_id;
            Ok(InboundMessage {
                message_id: text.message_id,
                from: phone::origin(&text.from)?,
                text: text.content,
                answers: answers.and_then(|id| id.parse().ok()),
                answers_message: text.related_message_id,
            })
        };
        texts.map(read).collect()
    }
}

/// Returns the result of each message, or the error of them all.
fn results(answer: &Answer) -> Result<Vec<MessageResult>, SendError> {
    match answer.json() {
        Some(SendResponse {
            error: Some(error), ..
        }) => Err(send_error(&error)),
        Some(SendResponse {
            messages: Some(results),
            ..
        }) if !results.is_empty() => Ok(results),
        _ if answer.status.is_success() => Err(SendError::Unknown(answer.detail().into())),
        _ => Err(account_refusal(answer)),
    }
}

/// Returns the outcome of one message.
fn outcome(result: MessageResult, sms: &SmsText) -> Result<Accepted, SendError> {
    match result.error {
        Some(error) => Err(send_error(&error)),
        None if result.accepted => Ok(sms.accepted(result.api_message_id, "accepted".into())),
        None => Err(SendError::Rejected {
            reason: "not accepted, without a reason".into(),
        }),
    }
}

/// Maps an error code to a send error.
fn send_error(error: &ErrorBody) -> SendError {
    let reason = match &error.description {
        Some(text) => format!("error {}: {}", error.code, short(text)),
        None => format!("error {}", error.code),
    };
    match error.code {
        // The key, the account or the integration, this machine's address, no credit, the end of
        // a demo.
        1..=3 | 7 | 20 | 46 => SendError::Unauthorized { reason },
        18 | 19 => SendError::Deferred {
            scope: Deferral::Message,
            reason,
            retry_after: None,
        },
        // The receiver's number, or the receiver has opted out.
        25 | 26 => SendError::InvalidAddress { reason },
        // Not on this channel or not in the sandbox, channel inactive or missing, sender suspended or
        // not ours, no replies from there, the rules of the USA.
        27 | 28 | 38 | 39 | 44 | 45 | 101 | 110 | 111 => SendError::Unroutable { reason },
        43 => SendError::RateLimited {
            reason,
            retry_after: None,
        },
        _ => SendError::Rejected { reason },
    }
}

fn event(callback: &Callback<'_>) -> Result<Event, CallbackError> {
    let body: Result<CallbackBody, _> = serde_json::from_slice(callback.body);
    body.map(|body| body.event)
        .map_err(|error| CallbackError::Malformed(short(&error.to_string()).into()))
}

/// Returns true for the channel `sms`, since one URL can serve several channels of the vendor.
fn is_sms(channel: Option<&str>) -> bool {
    channel.is_none_or(|channel| channel.eq_ignore_ascii_case("sms"))
}

fn receipt(update: StatusUpdate) -> Receipt {
    let code = update.status_code;
    let name = update.status.as_deref().unwrap_or("no status");
    let delivery = update.client_message_id.and_then(|id| id.parse().ok());
    Receipt {
        message_id: update.message_id,
        delivery,
        state: match code {
            // On the device, read.
            Some(5 | 6) => ReceiptState::Delivered,
            // Expired, stopped, failed or never attempted; not "emulated", which is 24.
            Some(20..=23 | 25..=29 | 60 | 61 | 80..=85 | 100) => ReceiptState::Failed,
            _ => ReceiptState::Pending,
        },
        of_part: false,
        price: None,
        detail: match code {
            Some(code) => format!("{} ({code})", short(name)),
            None => short(name),
        },
    }
}
