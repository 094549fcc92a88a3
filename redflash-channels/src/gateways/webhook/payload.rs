//! The JSON body of a webhook.
//!
//! `type` and `timestamp` are those of the Standard Webhooks specification 1.0.0 ("Payload structure").

use redflash_core::clock::Timestamp;
use redflash_core::message::OutboundMessage;
use redflash_core::model::Target;
use redflash_core::template::Arguments;
use serde::Serialize;

/// The body of `format = "json"`.
#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'static str,
    /// The time of the raise; for a test of the gateway, of the request.
    timestamp: String,
    /// The notification.
    id: String,
    /// The event; null for a message to a contact or a group.
    event: Option<&'a str>,
    /// The contact, group or event that was raised; null for a test of the gateway.
    target: Option<&'a Target>,
    subject: &'a str,
    message: &'a str,
    arguments: ArgumentsOf<'a>,
    /// The notification's page in the web admin; null without a public URL.
    url: Option<&'a str>,
}

/// The arguments of an event, as JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum ArgumentsOf<'a> {
    /// No arguments, since no event was raised.
    None(Arguments),
    /// The arguments of the event; null if they are too large to be stored.
    Event(Option<&'a Arguments>),
}

/// Returns the body.
pub(super) fn json(message: &OutboundMessage) -> String {
    let origin = message.origin.as_ref();
    let event = origin.and_then(|origin| match &origin.target {
        Target::Event(slug) => Some(slug.as_str()),
        Target::Contact(_) | Target::Group(_) => None,
    });
    let payload = Payload {
        r#type: "notification",
        timestamp: rfc_3339(origin.map_or(message.at, |origin| origin.raised_at)),
        event,
        target: origin.map(|origin| &origin.target),
        subject: &message.subject,
        message: &message.body,
        arguments: match event {
            None => ArgumentsOf::None(Arguments::new()),
            Some(_) => ArgumentsOf::Event(origin.and_then(|origin| origin.arguments.as_deref())),
        },
        url: message.link.as_deref(),
        id: message.notification.to_string(),
    };
    serde_json::to_string(&payload).expect("plain values serialize to JSON")
}

fn rfc_3339(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.as_millis());
    time.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
