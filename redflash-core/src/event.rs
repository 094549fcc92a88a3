//! Named occurrences with a message of their own.

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
    #[serde(default = "crate::group::on")]
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
}

impl Event {
    /// An event that is on and tells nobody yet.
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
        }
    }
}
