//! A Telegram bot: the channel `telegram`.
//!
//! An address is the id of a chat, such as `123456789` for a person and `-1001234567890` for a group,
//! or the `@name` of a public channel. A person must have written to the bot first.
//!
//! Facts are from the vendor's documentation of the Bot API (`sendMessage`, `ResponseParameters`,
//! `Update`, `setWebhook`) and from the error texts in the source of its server. A text has no
//! `parse_mode`, so nothing in it is markup. It has up to 4096 characters; whether these are UTF-16 code
//! units is not documented, so we count those. The token is part of the URL of every call, as Telegram
//! requires. An answer means that the message is in the chat, which counts as delivered.
//!
//! A 429 names the delay, but not the limit: there are limits for a chat (one message per second, 20 per
//! minute in a group) and for the bot (about 30 per second; "Bots FAQ"). We assume that of the chat, so
//! that one busy chat does not stop the others; if it was the bot's, each chat soon gets its own 429.
//!
//! Replies come to the bot's webhook, which is set once with `setWebhook`, with `webhook_secret` as its
//! `secret_token`. A message's id is unique only within its chat, so the id here combines both.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::gateway::{Authenticity, Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::ConfigError;
use crate::crypto::hmac;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, endpoint, refusal, short};
use crate::text::truncate::{cut, noting_cut};

/// Configuration of a Telegram bot.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelegramConfig {
    /// The bot's token, `123456789:` and letters.
    pub token: SecretString,
    /// The secret token of the bot's webhook; without it, callbacks count as unsigned.
    #[serde(default)]
    pub webhook_secret: Option<SecretString>,
    /// The previous secret token, which stays valid while the webhook is updated.
    #[serde(default)]
    pub previous_webhook_secret: Option<SecretString>,
    /// The base URL of the API; `https://api.telegram.org` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
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
    Url::parse("https://api.telegram.org").expect("it is a URL")
}

/// Maximum number of characters of a text.
const LONGEST: usize = 4096;

/// Sends messages as a bot.
pub struct Telegram {
    token: SecretString,
    webhook_secrets: Vec<SecretString>,
    base_url: Url,
    client: Client,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telegram")
            .field("base_url", &self.base_url.as_str())
            .field("webhook_secrets", &self.webhook_secrets.len())
            .finish_non_exhaustive()
    }
}

/// A response of the API.
#[derive(Debug, Deserialize)]
struct Response {
    ok: bool,
    #[serde(default)]
    result: Option<ChatMessage>,
    #[serde(default)]
    error_code: Option<u16>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Debug, Default, Deserialize)]
struct Parameters {
    #[serde(default)]
    retry_after: Option<u64>,
    #[serde(default)]
    migrate_to_chat_id: Option<i64>,
}

/// A message in responses and updates.
#[derive(Debug, Deserialize)]
struct ChatMessage {
    message_id: i64,
    chat: ChatOrUser,
    #[serde(default)]
    from: Option<ChatOrUser>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    reply_to_message: Option<Box<ChatMessage>>,
}

#[derive(Debug, Deserialize)]
struct ChatOrUser {
    id: i64,
    #[serde(default)]
    is_bot: bool,
}

impl ChatMessage {
    fn id(&self) -> String {
        format!("{}/{}", self.chat.id, self.message_id)
    }
}

impl Telegram {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: TelegramConfig) -> Result<Self, ConfigError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let token = config.token.expose_secret().split_once(':');
        let is_token = |(bot, secret): (&str, &str)| {
            bot.parse::<u64>().is_ok() && !secret.is_empty() && secret.bytes().all(legal)
        };
        if !token.is_some_and(is_token) {
            let reason = "a bot's token is a number, a colon, and letters and digits";
            return Err(ConfigError::at("token", reason));
        }
        let secrets = [
            ("webhook_secret", config.webhook_secret),
            ("previous_webhook_secret", config.previous_webhook_secret),
        ];
        let mut webhook_secrets = Vec::new();
        for (key, secret) in secrets {
            let Some(secret) = secret else { continue };
            let text = secret.expose_secret();
            if !(1..=256).contains(&text.len()) || !text.bytes().all(legal) {
                let reason = "it must be 1 to 256 of A-Z, a-z, 0-9, _ and -";
                return Err(ConfigError::at(key, reason));
            }
            webhook_secrets.push(secret);
        }
        endpoint(&config.base_url, &[])?;
        Ok(Self {
            token: config.token,
            webhook_secrets,
            base_url: config.base_url,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
        })
    }

    /// Returns the URL of a method, which contains the token.
    fn url(&self, method: &str) -> Url {
        let bot = format!("bot{}", self.token.expose_secret());
        endpoint(&self.base_url, &[&bot, method]).expect("the base was checked")
    }
}

#[async_trait]
impl Channel for Telegram {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("telegram").expect("it is a legal kind")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            inbound: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let text = cut(&message.body, LONGEST);
        let to = message.to.as_str();
        let document = json!({
            "chat_id": to.parse::<i64>().map_or_else(|_| to.into(), Value::from),
            "text": text,
            "link_preview_options": { "is_disabled": true },
        });
        let request = Request::json(self.url("sendMessage"), &document, message.at);
        let answer = self.client.send(request).await?;
        let success = answer.status.is_success();
        match answer.json::<Response>() {
            Some(Response {
                ok: true,
                result: Some(sent),
                ..
            }) if success => Ok(Accepted {
                delivered: true,
                detail: noting_cut("ok", &message.body, &text),
                ..Accepted::new(Some(sent.id()))
            }),
            Some(response) if !response.ok => Err(refused(&response, &answer)),
            _ if success => Err(SendError::Unknown(answer.detail().into())),
            _ => Err(refusal(&answer)),
        }
    }

    fn authenticate(
        &self,
        callback: &Callback<'_>,
        _now: Timestamp,
    ) -> Result<Authenticity, CallbackError> {
        if self.webhook_secrets.is_empty() {
            return Ok(Authenticity::Unsigned);
        }
        let invalid = |reason: &'static str| CallbackError::Signature(reason.into());
        let given = callback
            .header("x-telegram-bot-api-secret-token")
            .ok_or_else(|| invalid("it has no secret token"))?;
        let mut secrets = self.webhook_secrets.iter();
        if secrets.any(|secret| hmac::equal(secret.expose_secret(), given)) {
            Ok(Authenticity::Signed)
        } else {
            Err(invalid("its secret token is wrong"))
        }
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let malformed = || CallbackError::Malformed("it is not a Telegram update".into());
        let update: Value = serde_json::from_slice(callback.body).map_err(|_| malformed())?;
        if !update["update_id"].is_i64() {
            return Err(malformed());
        }
        // Other updates, such as edited messages, are ignored.
        let Some(message) = update.get("message") else {
            return Ok(Vec::new());
        };
        let message = ChatMessage::deserialize(message).map_err(|_| malformed())?;
        let id = message.id();
        let sender = message.from.as_ref().unwrap_or(&message.chat);
        let Some(text) = message.text.filter(|_| !sender.is_bot) else {
            return Ok(Vec::new());
        };
        let from = Address::new(sender.id.to_string()).map_err(|_| malformed())?;
        Ok(vec![InboundMessage {
            message_id: Some(id),
            from,
            text,
            answers: None,
            answers_message: message.reply_to_message.map(|answered| answered.id()),
        }])
    }
}

/// Normalizes a chat's id or a public channel's name.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let text = raw.trim();
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_name = |name: &str| {
        (4..=32).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(legal)
    };
    if text.strip_prefix('@').is_some_and(is_name) {
        return Address::new(text.to_ascii_lowercase());
    }
    match text.parse::<i64>() {
        Ok(id) if id != 0 && !text.starts_with('+') => Address::new(id.to_string()),
        _ => Err(AddressError::new(format!(
            "{raw:?} is not a Telegram chat: use its ID, such as 123456789 or -1001234567890, or the @name of a public channel"
        ))),
    }
}

/// Maps an error response to a send error. A 400 has no further code, so its text is read.
fn refused(response: &Response, answer: &Answer) -> SendError {
    let holds = |words: &[&str]| {
        words
            .iter()
            .any(|words| response.description.contains(words))
    };
    let code = response.error_code.unwrap_or(answer.status.as_u16());
    let mut reason = format!("{code}: {}", short(&response.description));
    if let Some(id) = response.parameters.migrate_to_chat_id {
        reason = format!("{reason}; its new id is {id}");
    }
    match code {
        // The bot's token is part of the path, so a wrong one is a 404.
        401 | 404 => SendError::Unauthorized { reason },
        403 if holds(&["user is deactivated"]) => SendError::InvalidAddress { reason },
        // Blocked by the person, removed from the group, or never added: this concerns this bot alone.
        403 => SendError::Unroutable { reason },
        400 if holds(&[
            "chat not found",
            "user not found",
            "upgraded to a supergroup",
            "PEER_ID_INVALID",
        ]) =>
        {
            SendError::InvalidAddress { reason }
        }
        400 if holds(&[
            "not enough rights",
            "have no rights",
            "need administrator rights",
            "CHAT_WRITE_FORBIDDEN",
        ]) =>
        {
            SendError::Unroutable { reason }
        }
        429 => SendError::Deferred {
            scope: Deferral::Recipient,
            reason,
            retry_after: response
                .parameters
                .retry_after
                .map(Duration::from_secs)
                .or(answer.retry_after),
        },
        500.. => refusal(answer),
        _ => SendError::Rejected { reason },
    }
}
