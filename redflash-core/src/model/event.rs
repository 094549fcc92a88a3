//! Named occurrences with a message of their own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Name, Slug};

/// A named occurrence: its words, and who is told when it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// How the event is called in URLs and commands.
    pub slug: Slug,
    /// How the event is called among people.
    pub name: Name,
    /// What it is about, for the people who look after it.
    #[serde(default)]
    pub description: String,
    /// Off: raising it is refused.
    #[serde(default = "super::on")]
    pub enabled: bool,
    /// The template of the subject, on channels that have one. Without it the name serves.
    #[serde(default)]
    pub subject: Option<String>,
    /// The template of the message.
    pub message: String,
    /// Who the message says it comes from, where the gateway allows that.
    #[serde(default)]
    pub sender: Option<String>,
    /// Contacts that are told.
    #[serde(default)]
    pub contacts: Vec<Slug>,
    /// Groups whose members are told.
    #[serde(default)]
    pub groups: Vec<Slug>,
    /// The action when a raise lacks arguments that the templates ask for.
    #[serde(default)]
    pub missing_arguments: MissingArguments,
}

/// The action when a raise lacks arguments that the templates of its event ask for.
///
/// Only an argument that is not there at all is missing: `null` and an empty text print nothing.
/// Inside `if`, `unless` and `default`, and before the `else` of an `each` or `with`, arguments are
/// optional.
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
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Blank, Self::Mark, Self::Refuse];

    /// The word for programs.
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

/// A text that is none of the choices.
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
    /// An event that is on, tells nobody yet, and marks missing arguments.
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
