//! Microsoft Teams: the channel `teams`.
//!
//! An address is the name of a room in the configuration, which maps to the URL of a workflow that starts
//! "when a Teams webhook request is received". The former webhooks of Office 365 connectors are retired.
//!
//! Facts are from the vendor's pages "Create incoming webhooks with Workflows" and "Format cards in
//! Teams", from the schema of Adaptive Cards 1.4, and from other clients (Apprise, Argo CD). The answer
//! 202 means that the workflow has started; nothing reports whether it posts, so a message counts as
//! accepted, not as delivered. A card has up to 28 KB.
//!
//! A `TextBlock` would be read as Markdown, so each line is a `RichTextBlock`, whose text runs are not.
//! Users report, but the vendor does not document, that a disabled workflow answers with the code
//! `WorkflowTriggerIsNotEnabled`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, room_refusal};
use crate::named_destinations::{NamedDestinations, parse_name};
use crate::text::truncate::{cut, noting_cut};

/// Configuration of Teams.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamsConfig {
    /// The rooms by their names, each with the URL of its workflow, which is a secret.
    pub rooms: BTreeMap<String, SecretString>,
    /// The time limit of a request; 15 s by default.
    #[serde(default = "timeout", with = "crate::text::duration")]
    pub timeout: Duration,
    /// The proxy and the certificates of its connections.
    #[serde(skip)]
    pub http: HttpOptions,
}

const fn timeout() -> Duration {
    Duration::from_secs(15)
}

/// Maximum number of characters and lines of a text, which are certain to fit into a card.
const LONGEST: usize = 4000;
const MAX_LINES: usize = 100;

/// Posts to Teams.
#[derive(Debug)]
pub struct Teams {
    rooms: NamedDestinations,
    client: Client,
}

impl Teams {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: TeamsConfig) -> Result<Self, ConfigError> {
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
impl Channel for Teams {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("teams").expect("it is a legal kind")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            subject: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_name(raw)
    }

    /// Each workflow has a limit of its own, and ends on its own.
    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        Some(address.as_str().into())
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let url = self.rooms.url(&message.to)?;
        let text = cut(&message.body, LONGEST);
        let document = json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": card(&message.subject, &text),
            }],
        });
        let answer = self.client.send(Request::json(url, &document, message.at));
        let answer = answer.await?;
        match answer.status.as_u16() {
            202 => Ok(Accepted {
                detail: noting_cut("the workflow has started", &message.body, &text),
                ..Accepted::new(None)
            }),
            200..300 => Err(SendError::Unknown(answer.detail().into())),
            _ => Err(refused(&answer)),
        }
    }
}

/// Returns a card with a title and lines.
fn card(title: &str, text: &str) -> Value {
    let title = cut(title, 200);
    let title = (!title.trim().is_empty()).then(|| block(&title, "Bolder"));
    let lines = text.splitn(MAX_LINES, '\n');
    let lines = lines.map(|line| block(line, "Default"));
    let body: Vec<_> = title.into_iter().chain(lines).collect();
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    })
}

fn block(line: &str, weight: &str) -> Value {
    // A text run must not be empty.
    let text = if line.is_empty() { " " } else { line };
    let run = json!({ "type": "TextRun", "text": text, "weight": weight });
    json!({ "type": "RichTextBlock", "spacing": "None", "inlines": [run] })
}

/// Maps an error response to a send error.
fn refused(answer: &Answer) -> SendError {
    let error: Value = answer.json().unwrap_or_default();
    let is_off = error["error"]["code"] == "WorkflowTriggerIsNotEnabled";
    match answer.status.as_u16() {
        // The workflow was deleted or disabled; its signature is part of the URL.
        404 | 410 => SendError::Unauthorized {
            reason: answer.detail(),
        },
        _ if is_off => SendError::Unauthorized {
            reason: answer.detail(),
        },
        // Its signature is invalid, or the tenant's policy forbids it.
        401 | 403 => SendError::Unauthorized {
            reason: answer.detail(),
        },
        _ => room_refusal(answer),
    }
}
