//! Twilio Programmable Messaging, `POST /2010-04-01/Accounts/{sid}/Messages.json`: the channel `sms`.
//!
//! Facts are from the vendor's `OpenAPI` description `twilio_api_v2010` (April 2026), its error
//! dictionary, its guides "Secure webhooks" and "Sign webhooks with shared keys" (September 2026,
//! in public beta) and the request validators of its libraries. Numbers have their plus, a request has
//! one message, and there is neither an idempotency key nor a client reference: the delivery is in the
//! query of `StatusCallback`, which the signature covers. Callbacks about text messages are forms or
//! queries, never JSON, and carry neither a time nor a price.

mod signature;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Authenticity, Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind, DeliveryId};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::ConfigError;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Request, account_refusal, basic, callback_url, endpoint,
    short,
};
use crate::sms::segments::{SmsText, check_parts, fit};
use crate::sms::{phone, sender_id};
use signature::SigningKeys;

/// Configuration of a Twilio account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioConfig {
    /// The account, `AC` and 32 hex digits.
    pub account_sid: String,
    /// The account's token, which signs callbacks and, without an API key, authenticates requests.
    pub auth_token: SecretString,
    /// The previous token, while callbacks may still be signed with it.
    #[serde(default)]
    pub previous_auth_token: Option<SecretString>,
    /// An API key that authenticates requests instead of the token, `SK` and 32 hex digits; none by
    /// default.
    #[serde(default)]
    pub api_key: Option<String>,
    /// The API key's secret.
    #[serde(default)]
    pub api_key_secret: Option<SecretString>,
    /// The id of the shared key that signs callbacks, if the account has one; none by default.
    #[serde(default)]
    pub shared_key_id: Option<String>,
    /// The shared key's secret.
    #[serde(default)]
    pub shared_key_secret: Option<SecretString>,
    /// The sender: a number, a short code, or up to 11 letters and digits.
    #[serde(default)]
    pub from: Option<String>,
    /// The messaging service that chooses the sender, `MG` and 32 hex digits, instead of `from`.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// The URL for receipts; by default one below the server's public URL.
    #[serde(default)]
    pub callback_url: Option<SecretString>,
    /// The base URL of the API; `https://api.twilio.com` by default.
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
    Url::parse("https://api.twilio.com").expect("it is a URL")
}

/// Sends texts through Twilio.
pub struct Twilio {
    config: TwilioConfig,
    url: Url,
    login: HeaderValue,
    callback_url: Option<Url>,
    signing_keys: SigningKeys,
    client: Client,
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio")
            .field("url", &self.url.as_str())
            .field("from", &self.config.from)
            .field("messaging_service_sid", &self.config.messaging_service_sid)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct MessageResponse {
    sid: String,
    status: String,
    #[serde(default)]
    num_segments: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ErrorBody {
    code: u32,
    #[serde(default)]
    message: String,
}

impl Twilio {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: TwilioConfig) -> Result<Self, ConfigError> {
        check_sid("account_sid", "AC", &config.account_sid)?;
        if config.auth_token.expose_secret().is_empty() {
            return Err(ConfigError::at("auth_token", "it must not be empty"));
        }
        let login = match (&config.api_key, &config.api_key_secret) {
            (None, None) => basic(&config.account_sid, &config.auth_token),
            (Some(key), Some(secret)) => {
                check_sid("api_key", "SK", key)?;
                basic(key, secret)
            }
            _ => {
                let reason = "an API key needs both api_key and api_key_secret";
                return Err(ConfigError::at("api_key", reason));
            }
        };
        match (&config.from, &config.messaging_service_sid) {
            (Some(from), None) => {
                sender_id::check_international(from).map_err(sender_id::invalid_from)?;
            }
            (None, Some(sid)) => check_sid("messaging_service_sid", "MG", sid)?,
            _ => {
                let reason = "set from or messaging_service_sid, but not both";
                return Err(ConfigError::at("from", reason));
            }
        }
        check_parts(config.max_parts, 10)?;
        let path = [
            "2010-04-01",
            "Accounts",
            &config.account_sid,
            "Messages.json",
        ];
        let url = endpoint(&config.base_url, &path)?;
        let callback_url = config.callback_url.as_ref().map(receipts_url).transpose()?;
        let signing_keys = SigningKeys::new(&config)?;
        let client = Client::new(Guard::open(), config.timeout, &config.http)?;
        Ok(Self {
            config,
            url,
            login,
            callback_url,
            signing_keys,
            client,
        })
    }

    fn request(&self, message: &OutboundMessage, sms: &SmsText) -> Request {
        let config = &self.config;
        let from = message.sender.as_ref().or(config.from.as_ref());
        let from = from.map(|from| sender_id::with_plus(from));
        let callback_url = self.callback_url.clone().map(|mut url| {
            let delivery = message.delivery.to_string();
            url.query_pairs_mut().append_pair("delivery", &delivery);
            url
        });
        let mut fields = vec![("To", message.to.as_str()), ("Body", &sms.text)];
        match (&from, &config.messaging_service_sid) {
            (Some(from), _) => fields.push(("From", from)),
            (None, Some(sid)) => fields.push(("MessagingServiceSid", sid)),
            (None, None) => {}
        }
        if let Some(url) = &callback_url {
            fields.push(("StatusCallback", url.as_str()));
        }
        Request::form(self.url.clone(), &fields, message.at)
            .header(AUTHORIZATION, self.login.clone())
    }
}

fn check_sid(key: &str, prefix: &str, sid: &str) -> Result<(), ConfigError> {
    let digits = sid.strip_prefix(prefix).unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    let reason = format!("it must be {prefix} and 32 hex digits");
    Err(ConfigError::at(key, reason))
}

/// Checks the URL for receipts by the rules of the vendor.
fn receipts_url(url: &SecretString) -> Result<Url, ConfigError> {
    let url = callback_url(url)?;
    if url.host_str().is_some_and(|host| host.contains('_')) {
        let reason = "the vendor does not accept a host with an underscore";
        return Err(ConfigError::at("callback_url", reason));
    }
    Ok(url)
}

#[async_trait]
impl Channel for Twilio {
    fn kind(&self) -> ChannelKind {
        ChannelKind::sms()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: self.callback_url.is_some(),
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
        sender_id::check_international(sender)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let sms = fit(&message.body, self.config.max_parts);
        let answer = self.client.send(self.request(message, &sms)).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        let Some(response) = answer.json::<MessageResponse>() else {
            return Err(SendError::Unknown(answer.detail().into()));
        };
        let detail = format!("status {}", short(&response.status));
        let mut accepted = sms.accepted(Some(response.sid), detail);
        // A messaging service counts segments later, and reports 0 here.
        let segments = response.num_segments.and_then(|count| count.parse().ok());
        if let Some(segments @ 1..) = segments {
            accepted.parts = segments;
        }
        Ok(accepted)
    }

    fn authenticate(
        &self,
        callback: &Callback<'_>,
        _now: Timestamp,
    ) -> Result<Authenticity, CallbackError> {
        self.signing_keys.check(callback)?;
        Ok(Authenticity::Signed)
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let status = callback.field("MessageStatus");
        let Some(status) = status.or_else(|| callback.field("SmsStatus")) else {
            return Err(CallbackError::Malformed("it has no MessageStatus".into()));
        };
        let state = match status {
            "delivered" | "read" => ReceiptState::Delivered,
            "undelivered" | "failed" | "canceled" => ReceiptState::Failed,
            // An inbound message.
            "receiving" | "received" => return Ok(Vec::new()),
            // In transit; another receipt follows "partially_delivered".
            _ => ReceiptState::Pending,
        };
        let detail = match callback.field("ErrorCode").filter(|code| !code.is_empty()) {
            None => short(status),
            Some(code) => match receipt_reason(code) {
                Some(reason) => format!("{} ({code}: {reason})", short(status)),
                None => format!("{} ({})", short(status), short(code)),
            },
        };
        Ok(vec![Receipt {
            message_id: message_id(callback),
            delivery: delivery(callback),
            state,
            of_part: false,
            price: None,
            detail,
        }])
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        if !matches!(callback.field("SmsStatus"), Some("receiving" | "received")) {
            return Ok(Vec::new());
        }
        let original = callback.field("OriginalRepliedMessageSid");
        Ok(vec![InboundMessage {
            message_id: message_id(callback),
            from: phone::origin(callback.field("From").unwrap_or_default())?,
            text: callback.field("Body").unwrap_or_default().to_owned(),
            answers: None,
            answers_message: original.map(str::to_owned),
        }])
    }
}

fn message_id(callback: &Callback<'_>) -> Option<String> {
    let id = callback.field("MessageSid");
    id.or_else(|| callback.field("SmsSid")).map(str::to_owned)
}

/// Returns our reference from the query of the URL that each message names.
fn delivery(callback: &Callback<'_>) -> Option<DeliveryId> {
    callback.field("delivery")?.parse().ok()
}

/// Maps an error code to a send error.
fn refused(answer: &Answer) -> SendError {
    let Some(ErrorBody { code, message }) = answer.json() else {
        return account_refusal(answer);
    };
    let reason = format!("error {code}: {}", short(&message));
    match code {
        // Credentials, account inactive or unknown.
        20003 | 20005 | 20404 => SendError::Unauthorized { reason },
        // Too many requests, too many messages, the sender's queue is full.
        20429 | 14107 | 21611 => answer.rate_limited(reason),
        // Not a number, not a mobile number, the recipient has opted out.
        21211 | 21614 | 21610 => SendError::InvalidAddress { reason },
        // Sender invalid, missing, or not ours; region not enabled; number not verified in a trial
        // account; no route from this sender to this number.
        21212 | 21603 | 21606 | 21408 | 21608 | 21612 => SendError::Unroutable { reason },
        // The text, the number or the callback URL is missing or invalid.
        21602 | 21604 | 21609 | 21617 => SendError::Rejected { reason },
        _ => account_refusal(answer),
    }
}

/// Returns the meaning of a receipt's error code.
fn receipt_reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "30001" => "queue overflow",
        "30002" => "account suspended",
        "30003" => "handset unreachable",
        "30004" => "message blocked",
        "30005" => "unknown handset",
        "30006" => "landline or unreachable carrier",
        "30007" => "filtered",
        "30008" => "unknown error",
        "30009" => "segment missing",
        "30022" => "rate limit of the campaign",
        "30023" => "daily limit of the brand",
        "30032" => "toll-free number not verified",
        "30034" => "number not registered for the campaign",
        "30410" => "provider timeout",
        _ => return None,
    })
}
