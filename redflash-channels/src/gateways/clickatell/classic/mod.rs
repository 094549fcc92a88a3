//! Clickatell's classic HTTP API, `POST /http/sendmsg`: the channel `sms`, for accounts of
//! "Developers' Central". New accounts use the [One API](super::one_api).
//!
//! Facts are from the vendor's archived overview of the HTTP API (its parameters, error codes,
//! message statuses and callbacks). Every answer is a 200 with a line of text for each number:
//! `ID: …` or `ERR: code, text`, with `To: number` if there are several. Numbers have no plus. The
//! `charge` of a receipt is in credits, not money, and callbacks are not signed.
//!
//! Several numbers in a request share one text, one sender and one `climsgid`. So different messages
//! do not share a request, and the receipts of a request with several numbers are matched by the vendor's
//! id alone.
//!
//! Not known is whether the API still works, how many numbers it accepts (300 in a form by some reports,
//! 100 in a query: 100 here), and how it reads characters outside of ASCII: a text with any is sent as
//! UTF-16, which is documented.

mod answer;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::slice;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use self::answer::{Line, LineResult, send_error};
use crate::ConfigError;
use crate::http::{
    Client, Guard, HttpOptions, Outcomes, Request, Suspects, account_refusal, endpoint, short,
    take_first, unanswered,
};
use crate::sms::segments::{Alphabet, SmsText, check_parts, fit_in};
use crate::sms::{phone, sender_id};

/// Configuration of a classic Clickatell account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickatellClassicConfig {
    /// The account's user.
    pub user: String,
    /// The user's password.
    pub password: SecretString,
    /// The id of the account's HTTP connection.
    pub api_id: String,
    /// The sender, registered with the account: up to 15 digits, or up to 11 letters and digits.
    /// The vendor's own by default.
    #[serde(default)]
    pub from: Option<String>,
    /// The base URL of the API; `https://api.clickatell.com` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// Maximum number of parts of a message, up to 3; a longer text is truncated. 3 by default.
    #[serde(default = "max_parts")]
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
    Url::parse("https://api.clickatell.com").expect("it is a URL")
}

const fn max_parts() -> u32 {
    3
}

/// Maximum number of numbers in a request.
const BATCH: u32 = 100;

/// Sends texts through Clickatell's classic API.
pub struct ClickatellClassic {
    config: ClickatellClassicConfig,
    url: Url,
    suspects: Suspects,
    client: Client,
}

impl fmt::Debug for ClickatellClassic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClickatellClassic")
            .field("url", &self.url.as_str())
            .field("from", &self.config.from)
            .finish_non_exhaustive()
    }
}

impl ClickatellClassic {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: ClickatellClassicConfig) -> Result<Self, ConfigError> {
        for (key, value) in [
            ("user", &*config.user),
            ("password", config.password.expose_secret()),
            ("api_id", &config.api_id),
        ] {
            if value.is_empty() {
                return Err(ConfigError::at(key, "it must not be empty"));
            }
        }
        if let Some(from) = &config.from {
            sender_id::check(from).map_err(sender_id::invalid_from)?;
        }
        check_parts(config.max_parts, 3)?;
        let url = endpoint(&config.base_url, &["http", "sendmsg"])?;
        let client = Client::new(Guard::open(), config.timeout, &config.http)?;
        Ok(Self {
            config,
            url,
            suspects: Suspects::default(),
            client,
        })
    }

    /// Creates the request for messages with one text and one sender.
    fn request(&self, messages: &[&OutboundMessage], sms: &SmsText) -> Option<Request> {
        let first = messages.first()?;
        let numbers: Vec<_> = messages.iter().map(|message| number(message)).collect();
        let (numbers, parts) = (numbers.join(","), sms.parts.to_string());
        let (delivery, hex) = (first.delivery.to_string(), utf16(&sms.text));
        let mut fields = vec![
            ("user", &*self.config.user),
            ("password", self.config.password.expose_secret()),
            ("api_id", &self.config.api_id),
            ("to", &numbers),
        ];
        match sms.alphabet {
            Alphabet::Gsm7 => fields.push(("text", &sms.text)),
            Alphabet::Ucs2 => fields.extend([("text", &*hex), ("unicode", "1")]),
        }
        if let Some(from) = first.sender.as_ref().or(self.config.from.as_ref()) {
            fields.push(("from", from));
        }
        if sms.parts > 1 {
            fields.push(("concat", &parts));
        }
        // Requests receipts for all statuses.
        fields.push(("callback", "7"));
        if messages.len() == 1 {
            fields.push(("climsgid", &delivery));
        }
        Some(Request::form(self.url.clone(), &fields, first.at))
    }

    /// Sends messages with one text and one sender.
    async fn send_alike(&self, messages: &[&OutboundMessage]) -> Outcomes {
        let Some(first) = messages.first() else {
            return Vec::new();
        };
        let text = &first.body;
        let alphabet = match Alphabet::of(text) {
            Alphabet::Gsm7 if text.is_ascii() => Alphabet::Gsm7,
            _ => Alphabet::Ucs2,
        };
        let sms = fit_in(alphabet, text, self.config.max_parts);
        let Some(request) = self.request(messages, &sms) else {
            return Vec::new();
        };
        let answer = match self.client.send(request).await {
            Ok(answer) if answer.status.is_success() => answer,
            Ok(answer) => return self.all_failed(&account_refusal(&answer), messages),
            Err(error) => return self.all_failed(&error, messages),
        };
        let text = String::from_utf8_lossy(&answer.body);
        let lines: Vec<_> = text.lines().filter_map(Line::read).collect();
        if lines.is_empty() {
            let unknown = SendError::Unknown(answer.detail().into());
            return self.all_failed(&unknown, messages);
        }
        self.outcomes(lines, messages, &sms)
    }

    fn all_failed(&self, error: &SendError, messages: &[&OutboundMessage]) -> Outcomes {
        let messages = messages.iter().copied();
        self.suspects.all_failed_of(error, messages)
    }

    /// Returns the outcome of each message of a request from the lines of the answer.
    fn outcomes(
        &self,
        mut lines: Vec<Line<'_>>,
        messages: &[&OutboundMessage],
        sms: &SmsText,
    ) -> Outcomes {
        // An error without a number concerns the whole request.
        let general = lines.iter().find_map(|line| match (line.to, line.result) {
            (None, LineResult::Error { .. }) => Some(line.result),
            _ => None,
        });
        let alone = messages.len() == 1;
        let mut unnamed = Vec::new();
        let mut outcomes = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let own = take_first(&mut lines, |line| alone || line.to == Some(number(message)));
            outcomes.push(match own.map(|line| line.result) {
                Some(LineResult::Accepted { id }) => {
                    Ok(sms.accepted(Some(id.into()), "accepted".into()))
                }
                Some(LineResult::Error { code, text }) => Err(send_error(code, text, message.at)),
                None => {
                    unnamed.push(index);
                    Err(unanswered())
                }
            });
        }
        if let (Some(LineResult::Error { code, text }), [first, ..]) = (general, &*unnamed) {
            let refusal = send_error(code, text, messages[*first].at);
            let failed = unnamed.iter().map(|index| messages[*index]);
            for (index, outcome) in unnamed
                .iter()
                .zip(self.suspects.all_failed_of(&refusal, failed))
            {
                outcomes[*index] = outcome;
            }
        }
        outcomes
    }
}

/// Returns the number without its plus.
fn number(message: &OutboundMessage) -> &str {
    message.to.as_str().trim_start_matches('+')
}

/// Encodes a text as the vendor requires for characters outside of ASCII: four hex digits for each UTF-16
/// code unit.
fn utf16(text: &str) -> String {
    let mut hex = String::new();
    for unit in text.encode_utf16() {
        write!(hex, "{unit:04X}").expect("writing to a String cannot fail");
    }
    hex
}

#[async_trait]
impl Channel for ClickatellClassic {
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

    /// Messages share a request if they have one text and one sender, and each number only once, so that
    /// each has its own line of the answer.
    fn goes_with(&self, others: &[&OutboundMessage], message: &OutboundMessage) -> bool {
        let fits = |other: &&OutboundMessage| {
            (&other.body, &other.sender) == (&message.body, &message.sender)
                && other.to != message.to
        };
        others.iter().all(fits) && self.suspects.may_go_with(others, message)
    }

    /// Sends messages that cannot share a request in concurrent requests.
    async fn send_batch(&self, messages: &[OutboundMessage]) -> Outcomes {
        let mut requests: Vec<(Vec<usize>, Vec<&OutboundMessage>)> = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let mut open = requests.iter_mut();
            match open.find(|(_, others)| self.goes_with(others, message)) {
                Some((indexes, others)) => {
                    indexes.push(index);
                    others.push(message);
                }
                None => requests.push((vec![index], vec![message])),
            }
        }
        let sending = requests
            .iter()
            .map(|(_, messages)| self.send_alike(messages));
        let answers = join_all(sending).await;
        let indexes = requests
            .iter()
            .flat_map(|(indexes, _)| indexes.iter().copied());
        let ordered: BTreeMap<_, _> = indexes.zip(answers.into_iter().flatten()).collect();
        let outcomes = ordered.into_values().collect();
        self.suspects.forget_ended(messages, &outcomes);
        outcomes
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let Some(status) = callback.field("status") else {
            if callback.field("moMsgId").is_some() {
                return Ok(Vec::new());
            }
            return Err(CallbackError::Malformed("it has no status".into()));
        };
        let delivery = callback.field("cliMsgId");
        Ok(vec![Receipt {
            message_id: callback.field("apiMsgId").map(str::to_owned),
            delivery: delivery.and_then(|id| id.parse().ok()),
            state: match status {
                "004" => ReceiptState::Delivered,
                "005" | "006" | "007" | "009" | "010" | "012" | "014" => ReceiptState::Failed,
                // Unknown or delayed, queued, with the network.
                _ => ReceiptState::Pending,
            },
            of_part: false,
            price: None,
            detail: match meaning(status) {
                Some(meaning) => format!("{status}: {meaning}"),
                None => short(status),
            },
        }])
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let Some(id) = callback.field("moMsgId") else {
            return Ok(Vec::new());
        };
        Ok(vec![InboundMessage {
            message_id: Some(id.to_owned()),
            from: phone::origin(callback.field("from").unwrap_or_default())?,
            text: callback.field("text").unwrap_or_default().to_owned(),
            answers: None,
            answers_message: None,
        }])
    }
}

/// Returns the meaning of a receipt's status.
fn meaning(status: &str) -> Option<&'static str> {
    Some(match status {
        "001" => "unknown or delayed",
        "002" => "queued",
        "003" => "with the network",
        "004" => "received",
        "005" => "error with the message",
        "006" => "cancelled",
        "007" => "error delivering",
        "008" => "accepted",
        "009" => "routing error",
        "010" => "expired",
        "011" => "queued for later",
        "012" => "out of credit",
        "014" => "limit of messages exceeded",
        _ => return None,
    })
}
