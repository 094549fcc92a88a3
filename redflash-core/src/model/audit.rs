//! The audit log: entries, actors and actions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::AuditEntryId;

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Identifier of the entry.
    pub id: AuditEntryId,
    /// Time of the change.
    pub at: Timestamp,
    /// Actor who made the change.
    pub by: Actor,
    /// Kind of change.
    pub action: Action,
    /// Changed object, such as `contact/ann`, `key/app` or `notification/…`.
    pub subject: String,
    /// Difference from before, for people. Contains no secret.
    pub detail: String,
}

/// The author of a change. As text `user/ann`, `key/app`, `operator/root`, `contact/ann`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// A user of the web admin.
    User(String),
    /// A system with this API key.
    Key(String),
    /// A person at a shell of the machine, by their login name.
    Operator(String),
    /// A recipient who sent a message back.
    Contact(String),
}

/// Error for a text that is not an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an actor is user/NAME, key/NAME, operator/NAME or contact/NAME")]
pub struct ActorError;

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Something was created.
    Added,
    /// Something was changed.
    Changed,
    /// Something was removed.
    Removed,
    /// Something was switched on.
    SwitchedOn,
    /// Something was switched off.
    SwitchedOff,
    /// A user's password was set.
    PasswordSet,
    /// A user logged in.
    LoggedIn,
    /// A person raised a notification.
    Raised,
    /// Deliveries were resent.
    Resent,
    /// A gateway or an endpoint was tested.
    Tested,
}

/// Error for a text that is not an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an action")]
pub struct ActionError(String);

impl AuditEntry {
    /// Creates an entry with a new id.
    pub fn new(
        at: Timestamp,
        by: Actor,
        action: Action,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            id: AuditEntryId::new(at),
            at,
            by,
            action,
            subject: subject.into(),
            detail: detail.into(),
        }
    }
}

impl Actor {
    const fn parts(&self) -> (&'static str, &String) {
        match self {
            Self::User(name) => ("user", name),
            Self::Key(name) => ("key", name),
            Self::Operator(name) => ("operator", name),
            Self::Contact(name) => ("contact", name),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = self.parts();
        write!(f, "{kind}/{name}")
    }
}

impl FromStr for Actor {
    type Err = ActorError;

    fn from_str(text: &str) -> Result<Self, ActorError> {
        let (kind, name) = text.split_once('/').ok_or(ActorError)?;
        let name = name.to_owned();
        match kind {
            "user" => Ok(Self::User(name)),
            "key" => Ok(Self::Key(name)),
            "operator" => Ok(Self::Operator(name)),
            "contact" => Ok(Self::Contact(name)),
            _ => Err(ActorError),
        }
    }
}

impl TryFrom<String> for Actor {
    type Error = ActorError;

    fn try_from(text: String) -> Result<Self, ActorError> {
        text.parse()
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 10] = [
        Self::Added,
        Self::Changed,
        Self::Removed,
        Self::SwitchedOn,
        Self::SwitchedOff,
        Self::PasswordSet,
        Self::LoggedIn,
        Self::Raised,
        Self::Resent,
        Self::Tested,
    ];

    /// Returns the action as text, as in JSON and in stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::SwitchedOn => "switched_on",
            Self::SwitchedOff => "switched_off",
            Self::PasswordSet => "password_set",
            Self::LoggedIn => "logged_in",
            Self::Raised => "raised",
            Self::Resent => "resent",
            Self::Tested => "tested",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let found = Self::ALL.into_iter().find(|action| action.as_str() == text);
        found.ok_or_else(|| ActionError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_its_own_actors_and_actions() {
        for text in ["user/ann", "key/app", "operator/root", "contact/bob"] {
            assert_eq!(text.parse::<Actor>().unwrap().to_string(), text);
        }
        assert_eq!("ann".parse::<Actor>(), Err(ActorError));
        for action in Action::ALL {
            assert_eq!(action.to_string().parse(), Ok(action));
            let json = serde_json::to_value(action).unwrap();
            assert_eq!(json, action.as_str());
        }
    }
}
