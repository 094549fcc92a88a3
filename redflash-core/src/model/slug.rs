//! Identifiers of contacts, groups, events, gateways and keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An identifier that is safe in a URL, a file and a terminal: 1 to 64 of `a-z A-Z 0-9 - _`.
///
/// The old service's slugs used the same alphabet, so all of them are still valid. Slugs are
/// compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

/// Reason why a text is not a valid slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlugError {
    /// The text is empty.
    #[error("a slug cannot be empty: use 1 to 64 of a-z, A-Z, 0-9, - and _")]
    Empty,
    /// The text is longer than 64 characters.
    #[error("a slug has at most 64 characters, this one has {0}")]
    TooLong(usize),
    /// The text contains a character that is not allowed.
    #[error(
        "{character:?} is not allowed in a slug (character {position}): use a-z, A-Z, 0-9, - and _"
    )]
    Character {
        /// The first offending character.
        character: char,
        /// Its position, counted from 1.
        position: usize,
    },
}

impl Slug {
    /// The maximum number of characters.
    pub const MAX_LENGTH: usize = 64;

    /// Parses a slug.
    ///
    /// # Errors
    ///
    /// Each variant of [`SlugError`] names the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        if text.is_empty() {
            return Err(SlugError::Empty);
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !legal(*c)) {
            return Err(SlugError::Character {
                character,
                position: index + 1,
            });
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(SlugError::TooLong(text.len()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Slug {
    type Error = SlugError;

    fn try_from(text: String) -> Result<Self, SlugError> {
        Self::parse(&text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_ordinary_names() {
        for good in ["a", "on-call", "Team_7", "0", &"x".repeat(64)] {
            assert_eq!(Slug::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn rejects_what_could_escape_a_path_or_terminal() {
        for bad in [
            "",
            ".",
            "..",
            "../a",
            "a/b",
            "a b",
            "a;b",
            "a\0",
            "a\"",
            "<a>",
            "é",
            "\u{202e}a",
            &"x".repeat(65),
        ] {
            assert!(Slug::parse(bad).is_err(), "{bad:?} was taken for a slug");
        }
    }

    #[test]
    fn checks_when_deserializing() {
        assert!(serde_json::from_str::<Slug>("\"on-call\"").is_ok());
        let error = serde_json::from_str::<Slug>("\"on call\"").unwrap_err();
        assert!(error.to_string().contains("character 3"), "{error}");
    }
}
