//! Who changed what, and when.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AuditEntryId, Timestamp};

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Names it.
    pub id: AuditEntryId,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: Actor,
    /// What was done.
    pub action: Action,
    /// To what, such as `contact/ann`, `key/app` or `notification/…`.
    pub subject: String,
    /// What is different from before, for people; without anything secret.
    pub detail: String,
}

/// Who makes a change. As text `user/ann`, `key/app`, `operator/root`, `contact/ann`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// A user of the web admin.
    User(String),
    /// Whoever has this API key.
    Key(String),
    /// Somebody at a shell of the machine, by the name there.
    Operator(String),
    /// The person at the other end, who sent a message back.
    Contact(String),
}

/// A text that is no actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an actor is user/NAME, key/NAME, operator/NAME or contact/NAME")]
pub struct ActorError;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Something new was made.
    Added,
    /// Something was changed.
    Changed,
    /// Something was removed.
    Removed,
    /// Something was switched on.
    SwitchedOn,
    /// Something was switched off.
    SwitchedOff,
    /// A user was given another password.
    PasswordSet,
    /// A user logged in.
    LoggedIn,
    /// A notification was raised by hand.
    Raised,
    /// Deliveries were sent again.
    Resent,
    /// A gateway or an endpoint was tried out.
    Tested,
}

/// A text that is no action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no action")]
pub struct ActionError(String);

impl AuditEntry {
    /// A change that is made now.
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
    /// Every action.
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

    /// The action as text, as in JSON and in stores.
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
    fn actors_and_actions_read_as_they_are_written() {
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
