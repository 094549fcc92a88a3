//! Kannel, a self-hosted SMS gateway: the channel `sms`.
//!
//! A text goes to the `sendsms` interface of an smsbox by `POST`: the body is the text and headers
//! hold the rest, so that no URL contains the password. Facts are from the user guide of Kannel
//! 1.4.5 (chapters "Using the HTTP interface to send SMS messages" and "SMS Delivery Reports"), from
//! its `smsbox.c`, and from runs of Debian's `kannel` 1.4.5-12, where the headers, the coding, the
//! answers, reports and inbound messages were observed. The end-to-end tests run it
//! (`tests/e2e/kannel.rs`).
//!
//! Kannel gives a message no id. Its delivery reports are requests to a URL that each message names,
//! which contains our reference. A text in several parts gets one report of each kind: acceptance or
//! refusal by the SMS centre covers all parts, delivery only the first part. So 1 may follow 16 if a later
//! part was refused. Kannel splits a character of two UTF-16 code units at the end of a part, so a text
//! may take one part less than we count.
//!
//! Kannel is responsible for messages that it has accepted, and by default persists little:
//!
//! ```text
//! group = core
//! # Without a store, messages that wait for the SMS centre are lost when Kannel exits.
//! store-type = spool
//! store-location = /var/spool/kannel
//! # Expected delivery reports are lost too, unless dlr-storage names a database.
//!
//! group = smsbox
//! # Without these, a report or a reply is lost while RedFlash is down.
//! http-request-retry = 1000
//! http-queue-delay = 10
//! ```
//!
//! Replies come through an `sms-service` group of `kannel.conf`. Kannel would send our HTTP response back
//! as a text, so `max-messages` must be 0:
//!
//! ```text
//! group = sms-service
//! keyword = default
//! catch-all = true
//! max-messages = 0
//! get-url = "https://alerts.example.org/inbound/NAME/SECRET?from=%p&text=%b&coding=%c&charset=%C&id=%I"
//! ```

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::percent_decode_str;
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind, DeliveryId};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::ConfigError;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Request, account_refusal, callback_url, endpoint,
    secret_header, short,
};
use crate::sms::segments::{Alphabet, SmsText, check_parts, fit};
use crate::sms::{phone, sender_id};

/// Configuration of a Kannel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KannelConfig {
    /// The name of a `sendsms-user`.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// The sender: up to 15 digits, or up to 11 letters and digits; Kannel's own choice by default.
    #[serde(default)]
    pub from: Option<String>,
    /// The `smsc-id` of the SMS centre; Kannel's own choice by default.
    #[serde(default)]
    pub smsc: Option<String>,
    /// The URL for delivery reports; without it there are none.
    #[serde(default)]
    pub callback_url: Option<SecretString>,
    /// The base URL of the smsbox; `http://127.0.0.1:13013` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// Maximum number of parts of a message; a longer text is truncated. At most the user's
    /// `max-messages`, beyond which Kannel truncates silently; 1 by default, as there.
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
    Url::parse("http://127.0.0.1:13013").expect("it is a URL")
}

const fn max_parts() -> u32 {
    1
}

const USERNAME: HeaderName = HeaderName::from_static("x-kannel-username");
const PASSWORD: HeaderName = HeaderName::from_static("x-kannel-password");
const FROM: HeaderName = HeaderName::from_static("x-kannel-from");
const TO: HeaderName = HeaderName::from_static("x-kannel-to");
const SMSC: HeaderName = HeaderName::from_static("x-kannel-smsc");
const CODING: HeaderName = HeaderName::from_static("x-kannel-coding");
const DLR_MASK: HeaderName = HeaderName::from_static("x-kannel-dlr-mask");
const DLR_URL: HeaderName = HeaderName::from_static("x-kannel-dlr-url");

/// Sends texts through Kannel.
pub struct Kannel {
    config: KannelConfig,
    url: Url,
    /// The headers of every message.
    headers: HeaderMap,
    client: Client,
}

impl fmt::Debug for Kannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kannel")
            .field("url", &self.url.as_str())
            .field("from", &self.config.from)
            .finish_non_exhaustive()
    }
}

impl Kannel {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: KannelConfig) -> Result<Self, ConfigError> {
        let mut headers = HeaderMap::new();
        headers.insert(USERNAME, header("username", &config.username)?);
        let password = secret_header("password", "", &config.password)?;
        headers.insert(PASSWORD, password);
        if let Some(from) = &config.from {
            sender_id::check(from).map_err(sender_id::invalid_from)?;
            headers.insert(FROM, header("from", from)?);
        }
        if let Some(smsc) = &config.smsc {
            headers.insert(SMSC, header("smsc", smsc)?);
        }
        if let Some(url) = &config.callback_url {
            check_callback(url)?;
            headers.insert(DLR_MASK, HeaderValue::from_static("31"));
        }
        check_parts(config.max_parts, 20)?;
        let url = endpoint(&config.base_url, &["cgi-bin", "sendsms"])?;
        let client = Client::new(Guard::open(), config.timeout, &config.http)?;
        Ok(Self {
            config,
            url,
            headers,
            client,
        })
    }

    fn request(&self, message: &OutboundMessage, sms: &SmsText) -> Request {
        let mut request = Request::post(
            self.url.clone(),
            "text/plain; charset=UTF-8",
            sms.text.clone(),
            message.at,
        );
        request.headers.extend(self.headers.clone());
        let mut header = |name, text: &str| {
            let mut value = HeaderValue::try_from(text).expect("it is plain ASCII, by its checks");
            value.set_sensitive(name == DLR_URL);
            request.headers.insert(name, value);
        };
        if let Some(sender) = &message.sender {
            header(FROM, sender);
        }
        header(TO, message.to.as_str());
        header(
            CODING,
            match sms.alphabet {
                Alphabet::Gsm7 => "0",
                Alphabet::Ucs2 => "2",
            },
        );
        if let Some(url) = &self.config.callback_url {
            let url = url.expose_secret();
            let separator = if url.contains('?') { '&' } else { '?' };
            let reference = message.delivery;
            // Kannel fills in the kind of report, the SMS centre's answer, and its id.
            let url = format!("{url}{separator}ref={reference}&type=%d&answer=%A&id=%F");
            header(DLR_URL, &url);
        }
        request
    }
}

fn header(key: &str, text: &str) -> Result<HeaderValue, ConfigError> {
    let value = HeaderValue::try_from(text).ok();
    value
        .filter(|value| !value.is_empty() && value.to_str().is_ok())
        .ok_or_else(|| ConfigError::at(key, "it must be one line of visible ASCII characters"))
}

/// Rejects percent signs, which Kannel reads as its own escapes.
fn check_callback(url: &SecretString) -> Result<(), ConfigError> {
    callback_url(url)?;
    let mut bytes = url.expose_secret().bytes();
    if bytes.all(|b| b.is_ascii_graphic() && b != b'%') {
        return Ok(());
    }
    let reason = "it must have visible ASCII characters only, and no %";
    Err(ConfigError::at("callback_url", reason))
}

#[async_trait]
impl Channel for Kannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::sms()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: self.config.callback_url.is_some(),
            inbound: true,
            sender: true,
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
        let sms = fit(&message.body, self.config.max_parts);
        let answer = self.client.send(self.request(message, &sms)).await?;
        check_answer(&answer)?;
        Ok(sms.accepted(None, answer.snippet()))
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let malformed = |reason: &'static str| CallbackError::Malformed(reason.into());
        let Some(reference) = field(callback, "ref") else {
            return Ok(Vec::new());
        };
        let delivery: DeliveryId = reference
            .parse()
            .map_err(|_| malformed("ref is not a reference of ours"))?;
        let kind = field(callback, "type").unwrap_or_default();
        let (state, meaning) =
            report_kind(&kind).ok_or_else(|| malformed("type is not a kind of report"))?;
        let answer = field(callback, "answer").unwrap_or_default();
        let detail = match &*short(&answer) {
            "" => format!("{kind}: {meaning}"),
            answer => format!("{kind}: {meaning} ({answer})"),
        };
        Ok(vec![Receipt {
            // Kannel's own id differs for each report.
            message_id: None,
            delivery: Some(delivery),
            state,
            of_part: false,
            price: None,
            detail,
        }])
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let field = |name: &str| field(callback, name);
        let Some(from) = field("from") else {
            return Ok(Vec::new());
        };
        // Binary messages are not for people.
        if field("coding").as_deref() == Some("1") {
            return Ok(Vec::new());
        }
        let text = match (field("charset").as_deref(), bytes(callback, "text")) {
            (Some("UTF-16BE"), Some(bytes)) => utf16(&bytes),
            _ => field("text").unwrap_or_default(),
        };
        Ok(vec![InboundMessage {
            message_id: field("id").filter(|id| !id.is_empty()),
            from: phone::origin(&from)?,
            text,
            answers: None,
            answers_message: None,
        }])
    }
}

/// Returns the value of a field. Kannel passes on texts of networks in any encoding, so the query is
/// decoded here byte by byte; fields from elsewhere are used unchanged.
fn field(callback: &Callback<'_>, name: &str) -> Option<String> {
    match bytes(callback, name) {
        Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        None => callback.field(name).map(str::to_owned),
    }
}

/// Returns the decoded bytes of a field of the query.
fn bytes(callback: &Callback<'_>, name: &str) -> Option<Vec<u8>> {
    let (_, query) = callback.url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(percent_decode_str(&value.replace('+', " ")).collect())
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0xfffd,
    });
    let characters = char::decode_utf16(units);
    characters
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Checks that an answer accepts the message. The texts are those of `smsbox.c`.
fn check_answer(answer: &Answer) -> Result<(), SendError> {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    let reason = answer.detail();
    match answer.status.as_u16() {
        // A Kannel with `immediate-sendsms-reply` answers "Sent.".
        202 if ["0:", "3:", "Sent."]
            .iter()
            .any(|prefix| text.starts_with(prefix)) =>
        {
            Ok(())
        }
        200..300 => Err(SendError::Unknown(reason.into())),
        // A number outside of its lists, a missing sender, no centre for the number, an unknown path:
        // another gateway may send the message.
        400 if text.starts_with("Number(s)") || text.starts_with("Sender missing") => {
            Err(SendError::Unroutable { reason })
        }
        403 if text.starts_with("Not routable") => Err(SendError::Unroutable { reason }),
        403 if text.starts_with("Authorization failed") => Err(SendError::Unauthorized { reason }),
        404 => Err(SendError::Unroutable { reason }),
        _ => Err(account_refusal(answer)),
    }
}

/// Returns the state and the meaning of a kind of delivery report.
fn report_kind(kind: &str) -> Option<(ReceiptState, &'static str)> {
    use ReceiptState::{Delivered, Failed, Pending};
    Some(match kind {
        "1" => (Delivered, "delivered"),
        "2" => (Failed, "cannot be delivered"),
        "4" => (Pending, "queued at the SMS centre"),
        "8" => (Pending, "accepted by the SMS centre"),
        "16" => (Failed, "refused by the SMS centre"),
        "32" => (Pending, "intermediate notification from the SMS centre"),
        _ => return None,
    })
}
