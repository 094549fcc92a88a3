//! Targets of raises.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{Slug, SlugError};

/// The target of a raise, written `contact/ann`, `group/on-call` or `event/disk-full`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// One contact.
    Contact(Slug),
    /// All members of a group.
    Group(Slug),
    /// The contacts and groups of an event, with the event's message.
    Event(Slug),
}

/// Reason why a text is not a valid target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The text does not start with a kind of target.
    #[error("{0:?} is not a target: use contact/SLUG, group/SLUG or event/SLUG")]
    Kind(String),
    /// The text after the kind is not a slug.
    #[error(transparent)]
    Slug(#[from] SlugError),
}

impl Target {
    /// Returns the kind: `contact`, `group` or `event`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Contact(_) => "contact",
            Self::Group(_) => "group",
            Self::Event(_) => "event",
        }
    }

    /// Returns the slug.
    pub const fn slug(&self) -> &Slug {
        match self {
            Self::Contact(slug) | Self::Group(slug) | Self::Event(slug) => slug,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.slug())
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let unknown = || TargetError::Kind(text.chars().take(100).collect());
        let (kind, slug) = text.split_once('/').ok_or_else(unknown)?;
        let make = match kind {
            "contact" => Self::Contact,
            "group" => Self::Group,
            "event" => Self::Event,
            _ => return Err(unknown()),
        };
        Ok(make(Slug::parse(slug)?))
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_its_own_targets() {
        for text in ["contact/ann", "group/on-call", "event/disk_full"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for bad in ["ann", "user/ann", "contact/", "contact/a/b", "/ann"] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
