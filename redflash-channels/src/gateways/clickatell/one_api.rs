//! Clickatell's One API, `POST /v1/message`: the channel `sms`.
//!
//! Facts are from the vendor's guides "Send messages" and "Customer callbacks", its help page "One
//! API Client Callbacks", its tables of errors and message statuses, and typed clients of the API.
//! Numbers go without their plus. A request holds up to 200 messages by one page and 100 by a
//! client of the API, so 100 here; its answer is 202, or 207 when the messages fared differently,
//! names each message by its number, and repeats no reference of ours. Callbacks are signed by
//! nobody, tell of several events, and carry no price.
//!
//! Not said is how long a `clientMessageId` may be (32 characters here), whether a refusal of one
//! message alone has the status 202, 207 or 4xx (all are read alike), and whether the event
//! `EMULATED` follows a message that arrived (it counts as no news).

use std::fmt;
use std::slice;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::{
    Accepted, Address, AddressError, Callback, CallbackError, Capabilities, Channel, ChannelKind,
    Deferral, InboundMessage, OutboundMessage, Receipt, ReceiptState, SendError, SenderError,
};
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
    /// The sender: up to 15 digits, or up to 11 letters and digits. Only for integrations that go
    /// both ways; none by default.
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
struct Outgoing<'a> {
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
struct Answered {
    #[serde(default)]
    messages: Option<Vec<Taken>>,
    #[serde(default)]
    error: Option<Fault>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    #[serde(default)]
    api_message_id: Option<String>,
    #[serde(default)]
    accepted: bool,
    #[serde(default)]
    to: String,
    #[serde(default)]
    error: Option<Fault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    code: u32,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Called {
    event: Event,
}

/// What happened, of the kinds that are read here.
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
            sender_id::check(from).map_err(sender_id::wrong)?;
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
        let outgoing = Outgoing {
            messages: messages.collect(),
        };
        let request = Request::json(self.url.clone(), &outgoing, now);
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
        let taken = match self.client.send(request).await {
            Ok(answer) => taken(&answer),
            Err(error) => Err(error),
        };
        let mut taken = match taken {
            Ok(taken) => taken,
            Err(error) => return self.suspects.all_failed(&error, messages),
        };
        let outcomes = messages.iter().zip(texts).map(|(message, sms)| {
            // An answer to one message is about that one, however its number is written there.
            let taken = take_first(&mut taken, |taken| {
                messages.len() == 1 || taken.to.trim_start_matches('+') == number(message)
            });
            outcome(taken.ok_or_else(unanswered)?, &sms)
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

/// What an answer says of each message, or the error of them all.
fn taken(answer: &Answer) -> Result<Vec<Taken>, SendError> {
    match answer.json() {
        Some(Answered {
            error: Some(error), ..
        }) => Err(refused(&error)),
        Some(Answered {
            messages: Some(taken),
            ..
        }) if !taken.is_empty() => Ok(taken),
        _ if answer.status.is_success() => Err(SendError::Unknown(answer.detail().into())),
        _ => Err(account_refusal(answer)),
    }
}

/// What the answer for one message means.
fn outcome(taken: Taken, sms: &SmsText) -> Result<Accepted, SendError> {
    match taken.error {
        Some(error) => Err(refused(&error)),
        None if taken.accepted => Ok(sms.accepted(taken.api_message_id, "accepted".into())),
        None => Err(SendError::Rejected {
            reason: "not accepted, without a reason".into(),
        }),
    }
}

/// Maps an error code to a send error.
fn refused(error: &Fault) -> SendError {
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
        // Not on this channel or not in the sandbox, channel not active or not there, sender
        // suspended or not ours, no way back from there, the rules of the USA.
        27 | 28 | 38 | 39 | 44 | 45 | 101 | 110 | 111 => SendError::Unroutable { reason },
        43 => SendError::RateLimited {
            reason,
            retry_after: None,
        },
        _ => SendError::Rejected { reason },
    }
}

fn event(callback: &Callback<'_>) -> Result<Event, CallbackError> {
    let called: Result<Called, _> = serde_json::from_slice(callback.body);
    called
        .map(|called| called.event)
        .map_err(|error| CallbackError::Malformed(short(&error.to_string()).into()))
}

/// One URL can serve several channels of the vendor's.
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
            // Expired, stopped, failed or never tried; not "emulated", which is 24.
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
