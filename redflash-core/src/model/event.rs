//! Named occurrences with a message template.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{Name, Slug};

/// A named occurrence with a message template and the contacts and groups to notify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Identifier in URLs and commands.
    pub slug: Slug,
    /// Display name.
    pub name: Name,
    /// Description for the people who maintain the event.
    #[serde(default)]
    pub description: String,
    /// True if the event can be raised.
    #[serde(default = "super::on")]
    pub enabled: bool,
    /// Template of the subject, for channels that have one. The name is used if there is none.
    #[serde(default)]
    pub subject: Option<String>,
    /// Template of the message.
    pub message: String,
    /// Sender of the message, where the gateway allows a choice.
    #[serde(default)]
    pub sender: Option<String>,
    /// Contacts to notify.
    #[serde(default)]
    pub contacts: Vec<Slug>,
    /// Groups whose members are notified.
    #[serde(default)]
    pub groups: Vec<Slug>,
    /// Action if a raise lacks arguments that the templates use.
    #[serde(default)]
    pub missing_arguments: MissingArguments,
}

/// The action if a raise lacks arguments that the templates of its event use.
///
/// Only an absent argument is missing: `null` and an empty text print nothing. Arguments are
/// optional inside `if`, `unless` and `default`, and before the `else` of an `each` or `with`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingArguments {
    /// They print nothing, as in the old service.
    #[default]
    Blank,
    /// Their names are printed: `[host?]`.
    Mark,
    /// The raise is refused.
    Refuse,
}

impl MissingArguments {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Blank, Self::Mark, Self::Refuse];

    /// Returns the choice as text, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Mark => "mark",
            Self::Refuse => "refuse",
        }
    }
}

impl fmt::Display for MissingArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Error for a text that is none of the choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write blank, mark or refuse")]
pub struct MissingArgumentsError;

impl FromStr for MissingArguments {
    type Err = MissingArgumentsError;

    fn from_str(text: &str) -> Result<Self, MissingArgumentsError> {
        let mut choices = Self::ALL.into_iter();
        choices
            .find(|choice| choice.as_str() == text)
            .ok_or(MissingArgumentsError)
    }
}

impl Event {
    /// Creates an event that is on, notifies nobody yet, and marks missing arguments.
    pub fn new(slug: Slug, name: Name, message: impl Into<String>) -> Self {
        Self {
            slug,
            name,
            description: String::new(),
            enabled: true,
            subject: None,
            message: message.into(),
            sender: None,
            contacts: Vec::new(),
            groups: Vec::new(),
            missing_arguments: MissingArguments::Mark,
        }
    }
}
