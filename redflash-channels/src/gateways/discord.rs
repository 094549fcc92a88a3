//! Discord: the channel `discord`.
//!
//! An address is the name of a room in the configuration, which maps to the URL of a webhook. A
//! `thread_id` in that URL's query posts into a thread.
//!
//! Facts are from the vendor's documentation: "Execute Webhook", "Rate Limits", "Opcodes and Status
//! Codes". With `wait=true` the answer is the message as posted to the channel, which counts as
//! delivered; without it Discord would not report that it was not saved. A text has up to 2000
//! characters.
//!
//! A 429 names the scope of the limit, by `global` and `X-RateLimit-Scope`: the account, or this webhook.
//! One without a document of Discord comes from the edge of its network, which limits our address.
//!
//! Discord formats every text. Markup is escaped with backslashes, except within a URL, which is shown
//! unchanged, and mentions notify nobody (`allowed_mentions`). Links have no previews
//! (`SUPPRESS_EMBEDS`), since a preview requests a link that may be meant for one person. The
//! documentation of the API does not say that a backslash escapes all punctuation, but its clients behave
//! so.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::Channel;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, account_refusal, short};
use crate::named_destinations::{NamedDestinations, parse_name};
use crate::text::truncate::{cut, noting_cut};

/// Configuration of Discord.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscordConfig {
    /// The rooms by their names, each with the URL of its webhook, which is a secret.
    pub rooms: BTreeMap<String, SecretString>,
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

/// Maximum number of characters of a text.
const LONGEST: usize = 2000;
/// The flag of a message without link previews.
const SUPPRESS_EMBEDS: u32 = 1 << 2;

/// Posts to Discord.
#[derive(Debug)]
pub struct Discord {
    rooms: NamedDestinations,
    client: Client,
}

/// The posted message.
#[derive(Debug, Deserialize)]
struct PostedMessage {
    id: String,
}

/// An error response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    code: u32,
    message: String,
    retry_after: Option<f64>,
    global: bool,
}

impl Discord {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: DiscordConfig) -> Result<Self, ConfigError> {
        let rooms = NamedDestinations::of_urls("rooms", config.rooms)?;
        if rooms.is_empty() {
            return Err(ConfigError::at("rooms", "it must name at least one room"));
        }
        Ok(Self {
            rooms,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
        })
    }
}

#[async_trait]
impl Channel for Discord {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("discord").expect("it is a legal kind")
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_name(raw)
    }

    /// Each webhook has a limit of its own, and is removed on its own.
    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        Some(address.as_str().into())
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let mut url = self.rooms.url(&message.to)?;
        url.query_pairs_mut().append_pair("wait", "true");
        let escaped = literal(&message.body);
        let text = cut(&escaped, LONGEST);
        let document = json!({
            "content": text,
            "allowed_mentions": { "parse": [] },
            "flags": SUPPRESS_EMBEDS,
        });
        let answer = self.client.send(Request::json(url, &document, message.at));
        let answer = answer.await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        match answer.json::<PostedMessage>() {
            Some(posted) => Ok(Accepted {
                delivered: true,
                detail: noting_cut("posted", &escaped, &text),
                ..Accepted::new(Some(posted.id))
            }),
            None => Err(SendError::Unknown(answer.detail().into())),
        }
    }
}

/// Maps an error response to a send error.
fn refused(answer: &Answer) -> SendError {
    let error: ErrorBody = answer.json().unwrap_or_default();
    let status = answer.status.as_u16();
    let reason = match error.code {
        0 => answer.detail(),
        code => format!("answered {status}: {code} {}", short(&error.message)),
    };
    match (status, error.code) {
        // Slow mode has a code of its own.
        (429, _) | (_, 20016) => limited(&error, answer, reason),
        // Unknown channel, archived thread, forum without a thread.
        (_, 10003 | 50083 | 220_001) => SendError::InvalidAddress { reason },
        // The webhook was removed, or its token or permissions are invalid; 404 without a code too.
        (_, 10015 | 10016 | 40001 | 50001 | 50013 | 50027) | (404, _) => {
            SendError::Unauthorized { reason }
        }
        // Blocked by the filters of a server.
        (_, 200_000 | 240_000) => SendError::Rejected { reason },
        _ => account_refusal(answer),
    }
}

/// Maps a rate limit to a send error by its scope.
fn limited(error: &ErrorBody, answer: &Answer, reason: String) -> SendError {
    let seconds = error.retry_after;
    let in_body = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let retry_after = in_body.or(answer.retry_after);
    let scope = answer.headers.get("x-ratelimit-scope");
    let by_discord = !error.message.is_empty();
    if !by_discord || error.global || scope.is_some_and(|scope| scope == "global") {
        return SendError::RateLimited {
            reason,
            retry_after,
        };
    }
    SendError::Deferred {
        scope: Deferral::Recipient,
        reason,
        retry_after,
    }
}

/// Escapes everything that Discord would read as markup.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let start = line.len() - line.trim_start_matches([' ', '\t']).len();
        let (indent, line) = line.split_at(start);
        literal.push_str(indent);
        // Headings, quotations and lists.
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = line.split_at(digits);
        literal.push_str(number);
        let mark = if digits == 0 { "#>-+" } else { ".)" };
        if rest.starts_with(|c| mark.contains(c)) {
            literal.push('\\');
        }
        escape_spans(&mut literal, rest);
    }
    literal
}

/// Escapes markup within a line, outside of URLs.
fn escape_spans(literal: &mut String, mut line: &str) {
    while let Some(c) = line.chars().next() {
        if line.starts_with("https://") || line.starts_with("http://") {
            let end = line.find(|c: char| c.is_whitespace() || c == '<');
            let (url, rest) = line.split_at(end.unwrap_or(line.len()));
            literal.push_str(url);
            line = rest;
            continue;
        }
        if "\\*_~`|<[]".contains(c) {
            literal.push('\\');
        }
        literal.push(c);
        line = &line[c.len_utf8()..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_markup_outside_of_urls() {
        for (text, expected) in [
            ("plain, text: 5 > 3 - 1", "plain, text: 5 > 3 - 1"),
            (
                "**b** __u__ ~~s~~ `c`",
                "\\*\\*b\\*\\* \\_\\_u\\_\\_ \\~\\~s\\~\\~ \\`c\\`",
            ),
            ("||x|| <@1> a\\b", "\\|\\|x\\|\\| \\<@1> a\\\\b"),
            ("[a](https://b_c_d)", "\\[a\\](https://b_c_d)"),
            ("see https://b_c/*d* *e*", "see https://b_c/*d* \\*e\\*"),
            ("# h\n> q\n- l\n  - m", "\\# h\n\\> q\n\\- l\n  \\- m"),
            ("3. x\n7) y\n10", "3\\. x\n7\\) y\n10"),
            ("", ""),
        ] {
            assert_eq!(literal(text), expected);
        }
    }
}
