//! Slack: the channel `slack`.
//!
//! An address is the name of a room in the configuration, which maps to the URL of an incoming webhook,
//! or, with a bot token, the id of a conversation such as `C0123456789` (`D…` or `U…` for a person), to
//! which `chat.postMessage` posts.
//!
//! Facts are from the vendor's pages on incoming webhooks, the change of their errors of 2016-05-17,
//! `chat.postMessage` with its list of errors, "Formatting text for app surfaces" and "Rate limits".
//! Both may fail with a 200: a webhook has succeeded if it answers `ok`, the method if its `ok` is true.
//! Success means that the message is in the conversation, which counts as delivered. Slack truncates a
//! text at 40,000 characters and recommends at most 4,000.
//!
//! The limits are one message per second for a conversation or webhook, and several hundred per minute
//! for a workspace. An answer does not say which limit it concerns; we assume that of the conversation or
//! the webhook.
//!
//! A text is not formatted (`mrkdwn`), its `& < >` are escaped, and links have no previews, since a
//! preview requests a link that may be meant for one person. It is not documented that a webhook accepts
//! `mrkdwn` and `unfurl_…` as the method does; it ignores unknown fields, and the escapes alone prevent
//! `<!channel>` from notifying everyone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::Channel;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::ConfigError;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Request, endpoint, room_refusal, secret_header, short,
};
use crate::named_destinations::{NamedDestinations, parse_name};
use crate::text::truncate::{cut, noting_cut};

/// Configuration of Slack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// The token of a bot, `xoxb-…`; with it, ids of conversations are addresses.
    #[serde(default)]
    pub bot_token: Option<SecretString>,
    /// The rooms by their names, each with the URL of its incoming webhook, which is a secret.
    #[serde(default)]
    pub rooms: BTreeMap<String, SecretString>,
    /// The base URL of the API; `https://slack.com/api` by default.
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
    Url::parse("https://slack.com/api").expect("it is a URL")
}

/// Maximum number of characters that Slack recommends.
const LONGEST: usize = 4000;

/// Posts to Slack.
pub struct Slack {
    rooms: NamedDestinations,
    /// `Authorization`, if there is a bot.
    bot: Option<HeaderValue>,
    url: Url,
    client: Client,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack")
            .field("url", &self.url.as_str())
            .field("rooms", &self.rooms)
            .field("bot", &self.bot.is_some())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct PostMessageResponse {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

impl Slack {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: SlackConfig) -> Result<Self, ConfigError> {
        let rooms = NamedDestinations::of_urls("rooms", config.rooms)?;
        let bot = config.bot_token.as_ref();
        let bot = bot.map(|token| secret_header("bot_token", "Bearer ", token));
        if bot.is_none() && rooms.is_empty() {
            let reason = "set rooms with their webhooks, or bot_token";
            return Err(ConfigError::at("rooms", reason));
        }
        Ok(Self {
            rooms,
            bot: bot.transpose()?,
            url: endpoint(&config.base_url, &["chat.postMessage"])?,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
        })
    }

    async fn post_to_room(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let url = self.rooms.url(&message.to)?;
        let text = cut(&message.body, LONGEST);
        let document = json!({
            "text": escaped(&text),
            "mrkdwn": false,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        let answer = self.client.send(Request::json(url, &document, message.at));
        let answer = answer.await?;
        match (answer.status.as_u16(), &*answer.snippet()) {
            (200, "ok") => Ok(accepted(None, &message.body, &text)),
            (200..300, _) => Err(SendError::Unknown(answer.detail().into())),
            (_, error) => Err(refused_by_webhook(error, &answer)),
        }
    }

    async fn post_as_bot(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let Some(bot) = &self.bot else {
            let reason = "posting to a conversation ID requires bot_token".to_owned();
            return Err(SendError::Unroutable { reason });
        };
        let text = cut(&message.body, LONGEST);
        let document = json!({
            "channel": message.to,
            "text": escaped(&text),
            "mrkdwn": false,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        let request = Request::json(self.url.clone(), &document, message.at);
        let request = request.header(AUTHORIZATION, bot.clone());
        let answer = self.client.send(request).await?;
        if !answer.status.is_success() {
            return Err(room_refusal(&answer));
        }
        match answer.json::<PostMessageResponse>() {
            Some(posted) if posted.ok => {
                let id = format!("{}/{}", posted.channel, posted.ts);
                Ok(accepted(Some(id), &message.body, &text))
            }
            Some(posted) if !posted.error.is_empty() => Err(refused(&posted.error, &answer)),
            _ => Err(SendError::Unknown(answer.detail().into())),
        }
    }
}

fn accepted(message_id: Option<String>, whole: &str, sent: &str) -> Accepted {
    Accepted {
        delivered: true,
        detail: noting_cut("ok", whole, sent),
        ..Accepted::new(message_id)
    }
}

/// Escapes the three characters with a meaning even in unformatted text.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[async_trait]
impl Channel for Slack {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("slack").expect("it is a legal kind")
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(raw)
    }

    /// Each webhook has a limit of its own, and is revoked on its own.
    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        (!is_id(address.as_str())).then(|| address.as_str().into())
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        if is_id(message.to.as_str()) {
            self.post_as_bot(message).await
        } else {
            self.post_to_room(message).await
        }
    }
}

/// Normalizes the id of a conversation or the name of a room.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let raw = raw.trim();
    if is_id(raw) {
        return Address::new(raw);
    }
    parse_name(raw)
}

/// Returns true for the id of a channel, a group, a direct message or a person. Ids are in upper case,
/// names of rooms in lower case.
fn is_id(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    text.starts_with(['C', 'G', 'D', 'U', 'W'])
        && (9..=24).contains(&text.len())
        && text.bytes().all(legal)
}

/// Maps an error of an incoming webhook to a send error.
fn refused_by_webhook(error: &str, answer: &Answer) -> SendError {
    let reason = answer.detail();
    match error {
        "channel_not_found" | "channel_is_archived" | "user_not_found" => {
            SendError::InvalidAddress { reason }
        }
        // The webhook was removed, or may not post.
        "no_service"
        | "no_service_id"
        | "no_team"
        | "no_active_hooks"
        | "team_disabled"
        | "invalid_token"
        | "action_prohibited"
        | "posting_to_general_channel_denied" => SendError::Unauthorized { reason },
        _ => room_refusal(answer),
    }
}

/// Maps an error of `chat.postMessage` to a send error.
fn refused(error: &str, answer: &Answer) -> SendError {
    let reason = short(error);
    match error {
        "ratelimited" | "rate_limited" => answer.deferred(Deferral::Recipient, reason),
        // A limit of the whole workspace.
        "message_limit_exceeded" => answer.rate_limited(reason),
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "no_permission"
        | "access_denied"
        | "accesslimited"
        | "not_allowed_token_type"
        | "org_login_required"
        | "ekm_access_denied"
        | "team_access_not_granted"
        | "enterprise_is_restricted"
        | "two_factor_setup_required"
        | "deprecated_endpoint"
        | "method_deprecated" => SendError::Unauthorized { reason },
        "channel_not_found"
        | "is_archived"
        | "user_not_found"
        | "user_disabled"
        | "messages_tab_disabled"
        | "cannot_dm_bot" => SendError::InvalidAddress { reason },
        "not_in_channel"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "restricted_action_non_threadable_channel" => SendError::Unroutable { reason },
        "internal_error" | "service_unavailable" | "request_timeout" => {
            answer.deferred(Deferral::Message, reason)
        }
        // The workspace is moving into an organization.
        "team_added_to_org" => SendError::Unreachable(reason.into()),
        // By the documentation, the method may have had an effect.
        "fatal_error" => SendError::Unknown(reason.into()),
        _ => SendError::Rejected { reason },
    }
}
