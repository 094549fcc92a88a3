//! Schemas of the values that core reads and writes as JSON text or numbers: slugs, ids, times, states.
//!
//! DTOs hold core's types for these and name the schema: `#[schemars(with = "value::Slug")]`.

#![expect(dead_code, reason = "only the schemas of these types are used")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A required field that may be null.
pub(crate) struct Nullable<T>(T);

impl<T: JsonSchema> JsonSchema for Nullable<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(schemas)
    }
}

/// Number of deliveries in each state.
pub(crate) struct States(BTreeMap<DeliveryState, u64>);

impl JsonSchema for States {
    fn schema_name() -> Cow<'static, str> {
        "States".into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Number of deliveries in each state.",
            "propertyNames": schemas.subschema_for::<DeliveryState>(),
            "additionalProperties": { "type": "integer", "minimum": 0 },
        })
    }
}

/// Identifier in URLs and commands.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = r"^[A-Za-z0-9_-]{1,64}$", "examples" = ["on-call"]))]
pub(crate) struct Slug(String);

/// Display name: one line that is not blank.
#[derive(JsonSchema)]
#[schemars(extend(
    "minLength" = 1,
    "maxLength" = 200,
    "pattern" = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
    "examples" = ["Ann Archer"],
))]
pub(crate) struct Name(String);

/// Unique identifier: 32 lower-case hex digits.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = "^[0-9a-f]{32}$",
    "examples" = ["01935a2b7c3d7e8f9a0b1c2d3e000000"],
))]
pub(crate) struct Id(String);

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(JsonSchema)]
#[schemars(extend("examples" = [1_790_000_000_000_i64]))]
pub(crate) struct Time(i64);

/// Type of channel, such as `sms`, `email` or `webhook`.
#[derive(JsonSchema)]
#[schemars(extend("pattern" = "^[a-z][a-z0-9-]{0,31}$", "examples" = ["sms"]))]
pub(crate) struct Channel(String);

/// Address in any form that the channel accepts, such as `+447700900123`, `ann@example.org` or
/// `https://example.org/alerts`; at most 2048 bytes.
#[derive(JsonSchema)]
#[schemars(extend(
    "minLength" = 1,
    "maxLength" = 2048,
    "pattern" = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
    "examples" = ["+447700900123"],
))]
pub(crate) struct Address(String);

/// Contact, group or event to which an alert is raised.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = "^(contact|group|event)/[A-Za-z0-9_-]{1,64}$",
    "examples" = ["event/disk-full"],
))]
pub(crate) struct Target(String);

/// Origin of a change: a user, an API key, an operator at a shell, or a contact who replied to a message.
#[derive(JsonSchema)]
#[schemars(extend(
    "pattern" = r"^(user|key|operator|contact)/[^\u0000]*$",
    "examples" = ["user/ann", "key/app"],
))]
pub(crate) struct Actor(String);

/// Template of a subject. At most 4096 bytes.
#[derive(JsonSchema)]
#[schemars(inline, extend(
    "minLength" = 1,
    "maxLength" = 4096,
    "pattern" = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
    "examples" = ["Disk of {{host}}"],
))]
pub(crate) struct Subject(String);

/// Template of a message. At most 4096 bytes.
#[derive(JsonSchema)]
#[schemars(inline, extend(
    "minLength" = 1,
    "maxLength" = 4096,
    "pattern" = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
    "examples" = ["The disk of {{host}} is full."],
))]
pub(crate) struct Template(String);

/// Description of an event: lines of text.
#[derive(JsonSchema)]
#[schemars(inline, extend(
    "maxLength" = 2000,
    "pattern" = r"^[^\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]*$",
))]
pub(crate) struct Description(String);

/// Sender of a message.
#[derive(JsonSchema)]
#[schemars(inline, extend(
    "maxLength" = 100,
    "pattern" = r"^[^\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]*$",
))]
pub(crate) struct Sender(String);

/// Password. At least 8 characters, at most 1024 bytes.
#[derive(JsonSchema)]
#[schemars(inline, extend(
    "minLength" = 8,
    "maxLength" = 1024,
    "writeOnly" = true,
    "examples" = ["correct horse battery"],
))]
pub(crate) struct Password(String);

/// Behavior when a raise lacks arguments that the event's templates use.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum MissingArguments {
    /// Missing arguments print nothing.
    Blank,
    /// Missing arguments print their names, as in `[host?]`.
    Mark,
    /// The raise is rejected.
    Refuse,
}

/// Permissions of a user.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Reads everything.
    Viewer,
    /// Reads and changes everything.
    Admin,
}

/// State of a delivery.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    /// Waiting for its turn or its next attempt.
    Queued,
    /// Being handed to a gateway.
    Sending,
    /// Accepted by a gateway.
    Sent,
    /// Confirmed as delivered by a receipt.
    Delivered,
    /// Given up.
    Failed,
    /// Cancelled because its contact, endpoint or target was disabled after the raise.
    Cancelled,
    /// Not sent because the gateway budgets were exhausted.
    Suppressed,
    /// Held until it is resent manually: it may have been sent, or may crash the server.
    Quarantined,
}

/// Outcome of an attempt.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum AttemptOutcome {
    /// The gateway accepted the message.
    Ok,
    /// The message was not sent; a retry may succeed.
    Retry,
    /// The message may have been sent.
    Unknown,
    /// The message was not sent and will not be.
    Permanent,
}

/// State of a gateway.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum GatewayState {
    /// Messages are sent.
    Ok,
    /// One message is being sent to test whether the gateway has recovered.
    Probing,
    /// The gateway asked for a pause, or another node found it unavailable.
    Paused,
    /// Too many messages failed, or the gateway rejects the account.
    Stopped,
}

/// Action recorded in the audit log.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Something was created.
    Added,
    /// Something was changed.
    Changed,
    /// Something was removed.
    Removed,
    /// Something was enabled.
    SwitchedOn,
    /// Something was disabled.
    SwitchedOff,
    /// A user's password was set.
    PasswordSet,
    /// A user logged in.
    LoggedIn,
    /// An alert was raised manually.
    Raised,
    /// Deliveries were resent.
    Resent,
    /// A gateway or an endpoint was tested.
    Tested,
}

/// Targets that a key may raise.
#[derive(JsonSchema)]
#[schemars(
    inline,
    rename_all = "snake_case",
    deny_unknown_fields,
    extend("examples" = ["all", { "only": ["event/disk-full"] }]),
)]
pub(crate) enum Scope {
    /// Every target.
    All,
    /// These targets only.
    Only(BTreeSet<Target>),
}

/// Decision for an endpoint: deliver the message in a lane, or skip the endpoint.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The lane in which the message is delivered.
    Deliver(String),
    /// The reason why the endpoint is skipped.
    Skip(Skip),
}

/// Reason why a contact or an endpoint is skipped.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Skip {
    /// The contact is disabled.
    ContactOff,
    /// All of these groups, through which the contact would be notified, are disabled.
    GroupOff(Vec<Slug>),
    /// The contact has no endpoint.
    NoEndpoint,
    /// The endpoint is disabled.
    EndpointOff,
    /// No gateway is configured for the channel.
    NoGateway,
    /// No gateway of the channel is configured for this address.
    NoRoute,
    /// The raise selects another endpoint.
    NotChosen,
    /// The alert is about this channel.
    Troubled,
    /// This contact already receives the message at the same address.
    Duplicate(Slug),
}

/// Reason why nothing is sent.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(crate) enum Refusal {
    /// The target is disabled.
    Disabled,
    /// Required arguments are missing.
    MissingArguments,
    /// Some arguments are not used by the event, and the raise is strict.
    UnusedArguments,
    /// The message is empty.
    EmptyMessage,
    /// No contact can be notified.
    NoRecipients,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the words of an enum's schema.
    fn words<T: JsonSchema>() -> Vec<String> {
        let schema = T::json_schema(&mut SchemaGenerator::default());
        let variants = schema.get("oneOf").and_then(|all| all.as_array()).unwrap();
        let word = |variant: &serde_json::Value| variant["const"].as_str().unwrap().to_owned();
        variants.iter().map(word).collect()
    }

    #[test]
    fn describes_every_word_of_core() {
        let states = redflash_core::delivery::DeliveryState::ALL;
        assert_eq!(words::<DeliveryState>(), states.map(|one| one.to_string()));
        let states = redflash_core::gateway::GatewayState::ALL;
        assert_eq!(words::<GatewayState>(), states.map(|one| one.to_string()));
        let actions = redflash_core::model::Action::ALL;
        assert_eq!(words::<Action>(), actions.map(|one| one.to_string()));
        let choices = redflash_core::model::MissingArguments::ALL;
        let choices = choices.map(|one| one.to_string());
        assert_eq!(words::<MissingArguments>(), choices);
    }
}
