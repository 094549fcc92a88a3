//! Events as the API reads and writes them.

use std::collections::BTreeSet;

use redflash_core::model::{MissingArguments, Name, Slug};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::extract::json_body::{Optional, enabled};
use crate::api::openapi::value;

/// A type of alert: a message template, with the contacts and groups to notify.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Event {
    #[schemars(with = "value::Slug")]
    slug: Slug,
    #[schemars(with = "value::Name")]
    name: Name,
    /// Description for the people who maintain the event.
    description: String,
    /// False if raising the event is rejected.
    enabled: bool,
    /// Template of the subject, for channels that have one. The name of the event if null.
    subject: Option<String>,
    /// Template of the message.
    message: String,
    /// Sender of the message, where the gateway allows it.
    sender: Option<String>,
    #[schemars(with = "value::MissingArguments")]
    missing_arguments: MissingArguments,
    /// Contacts to notify.
    #[schemars(with = "BTreeSet<value::Slug>")]
    contacts: Vec<Slug>,
    /// Groups to notify.
    #[schemars(with = "BTreeSet<value::Slug>")]
    groups: Vec<Slug>,
    /// Likely mistakes in what was saved. Only in responses to changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// An event to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEvent {
    #[schemars(with = "value::Slug")]
    slug: Slug,
    #[schemars(with = "value::Name")]
    name: Name,
    /// Description for the people who maintain the event.
    #[serde(default)]
    #[schemars(with = "value::Description")]
    description: String,
    /// False if raising the event is rejected.
    #[serde(default = "enabled")]
    enabled: bool,
    /// Template of the subject, for channels that have one. The name of the event if null. At most 4096
    /// bytes.
    #[serde(default)]
    #[schemars(with = "Option<value::Subject>")]
    subject: Option<String>,
    /// Template of the message. At most 4096 bytes.
    #[schemars(with = "value::Template")]
    message: String,
    /// Sender of the message, where the gateway allows it.
    #[serde(default)]
    #[schemars(with = "Option<value::Sender>")]
    sender: Option<String>,
    #[serde(default = "mark")]
    #[schemars(with = "value::MissingArguments")]
    missing_arguments: MissingArguments,
    /// Contacts to notify.
    #[serde(default)]
    #[schemars(with = "BTreeSet<value::Slug>")]
    contacts: Vec<Slug>,
    /// Groups to notify.
    #[serde(default)]
    #[schemars(with = "BTreeSet<value::Slug>")]
    groups: Vec<Slug>,
}

/// All fields of an event, to replace it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventReplacement {
    /// Must be the slug in the path.
    #[serde(default)]
    #[schemars(with = "value::Slug")]
    slug: Optional<Slug>,
    #[schemars(with = "value::Name")]
    name: Name,
    /// Description for the people who maintain the event.
    #[schemars(with = "value::Description")]
    description: String,
    /// False if raising the event is rejected.
    enabled: bool,
    /// Template of the subject, for channels that have one. The name of the event if null. At most 4096
    /// bytes.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(with = "value::Nullable<value::Subject>")]
    subject: Option<String>,
    /// Template of the message. At most 4096 bytes.
    #[schemars(with = "value::Template")]
    message: String,
    /// Sender of the message, where the gateway allows it.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(with = "value::Nullable<value::Sender>")]
    sender: Option<String>,
    #[schemars(with = "value::MissingArguments")]
    missing_arguments: MissingArguments,
    /// Contacts to notify.
    #[schemars(with = "BTreeSet<value::Slug>")]
    contacts: Vec<Slug>,
    /// Groups to notify.
    #[schemars(with = "BTreeSet<value::Slug>")]
    groups: Vec<Slug>,
}

/// Fields of an event to change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EventPatch {
    /// Must be the slug in the path.
    #[schemars(with = "value::Slug")]
    pub(super) slug: Optional<Slug>,
    #[schemars(with = "value::Name")]
    name: Optional<Name>,
    /// Description for the people who maintain the event.
    #[schemars(with = "value::Description")]
    description: Optional<String>,
    /// False if raising the event is rejected.
    enabled: Optional<bool>,
    /// Template of the subject, for channels that have one. The name of the event if null. At most 4096
    /// bytes.
    #[schemars(with = "Option<value::Subject>")]
    subject: Optional<Option<String>>,
    /// Template of the message. At most 4096 bytes.
    #[schemars(with = "value::Template")]
    message: Optional<String>,
    /// Sender of the message, where the gateway allows it.
    #[schemars(with = "Option<value::Sender>")]
    sender: Optional<Option<String>>,
    #[schemars(with = "value::MissingArguments")]
    missing_arguments: Optional<MissingArguments>,
    /// Contacts to notify.
    #[schemars(with = "BTreeSet<value::Slug>")]
    contacts: Optional<Vec<Slug>>,
    /// Groups to notify.
    #[schemars(with = "BTreeSet<value::Slug>")]
    groups: Optional<Vec<Slug>>,
}

fn mark() -> MissingArguments {
    MissingArguments::Mark
}

impl Event {
    pub(super) fn new(event: &redflash_core::model::Event, warnings: Vec<String>) -> Self {
        let event = event.clone();
        Self {
            slug: event.slug,
            name: event.name,
            description: event.description,
            enabled: event.enabled,
            subject: event.subject,
            message: event.message,
            sender: event.sender,
            missing_arguments: event.missing_arguments,
            contacts: event.contacts,
            groups: event.groups,
            warnings,
        }
    }
}

impl From<NewEvent> for redflash_core::model::Event {
    fn from(new: NewEvent) -> Self {
        Self {
            slug: new.slug,
            name: new.name,
            description: new.description,
            enabled: new.enabled,
            subject: new.subject,
            message: new.message,
            sender: new.sender,
            missing_arguments: new.missing_arguments,
            contacts: new.contacts,
            groups: new.groups,
        }
    }
}

impl From<EventReplacement> for EventPatch {
    fn from(replacement: EventReplacement) -> Self {
        Self {
            slug: replacement.slug,
            name: replacement.name.into(),
            description: replacement.description.into(),
            enabled: replacement.enabled.into(),
            subject: replacement.subject.into(),
            message: replacement.message.into(),
            sender: replacement.sender.into(),
            missing_arguments: replacement.missing_arguments.into(),
            contacts: replacement.contacts.into(),
            groups: replacement.groups.into(),
        }
    }
}

impl EventPatch {
    /// Sets the fields of an event.
    pub(super) fn apply(&self, event: &mut redflash_core::model::Event) {
        self.name.set(&mut event.name);
        self.description.set(&mut event.description);
        self.enabled.set(&mut event.enabled);
        self.subject.set(&mut event.subject);
        self.message.set(&mut event.message);
        self.sender.set(&mut event.sender);
        self.missing_arguments.set(&mut event.missing_arguments);
        self.contacts.set(&mut event.contacts);
        self.groups.set(&mut event.groups);
    }
}
