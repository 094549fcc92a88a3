//! Display names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A display name: 1 to 200 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Reason why a text is not a valid name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty or blank.
    #[error("a name cannot be empty")]
    Empty,
    /// The text is longer than a name may be.
    #[error("a name has at most 200 characters, this one has {0}")]
    TooLong(usize),
    /// The text contains a control character, such as a line break.
    #[error("a name cannot contain the control character {0:?}")]
    Control(char),
}

impl Name {
    /// Parses a name, ignoring white space around it.
    ///
    /// # Errors
    ///
    /// Each variant of [`NameError`] names the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(NameError::Control(control));
        }
        match text.chars().count() {
            1..=200 => Ok(Self(text.to_owned())),
            count => Err(NameError::TooLong(count)),
        }
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_one_line() {
        assert_eq!(Name::parse("  On call ").unwrap().as_str(), "On call");
        assert_eq!(Name::parse(" \t"), Err(NameError::Empty));
        assert_eq!(Name::parse("a\0b"), Err(NameError::Control('\0')));
        assert_eq!(Name::parse(&"é".repeat(201)), Err(NameError::TooLong(201)));
    }
}
