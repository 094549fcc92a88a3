//! Where a message goes: a channel and an address on it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way of telling, as an open kind: `sms`, `email`, `webhook`, or one an embedder brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelKind(String);

/// An address in the normal form that its channel gave it.
///
/// Made by [`Channel::parse_address`](crate::Channel::parse_address) when it is saved, and never
/// parsed again: two endpoints are the same place exactly if their addresses are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// Why a text is no address, in words for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

/// A text that is no channel kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no channel: a channel is 1 to 32 of a-z, 0-9 and -, starting with a letter")]
pub struct ChannelKindError(String);

impl ChannelKind {
    /// Checks a text and makes it a channel kind.
    ///
    /// # Errors
    ///
    /// [`ChannelKindError`] when the text is not 1 to 32 of `a-z 0-9 -` starting with a letter.
    pub fn parse(text: &str) -> Result<Self, ChannelKindError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts_well || text.len() > 32 || !text.bytes().all(legal) {
            return Err(ChannelKindError(text.chars().take(64).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Short messages to phone numbers.
    pub fn sms() -> Self {
        Self("sms".into())
    }

    /// Mail.
    pub fn email() -> Self {
        Self("email".into())
    }

    /// An HTTP request to a URL.
    pub fn webhook() -> Self {
        Self("webhook".into())
    }

    /// The kind as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Address {
    /// The longest address, in bytes.
    pub const MAX_LENGTH: usize = 2048;

    /// Makes an address of a text that a channel has brought into its normal form.
    ///
    /// # Errors
    ///
    /// [`AddressError`] when the text is empty, too long, or holds a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, AddressError> {
        let text = text.into();
        if text.is_empty() {
            return Err(AddressError::new("an address cannot be empty"));
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(AddressError::new(format!(
                "an address has at most {} bytes, this one has {}",
                Self::MAX_LENGTH,
                text.len()
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(AddressError::new(
                "an address cannot hold control characters",
            ));
        }
        Ok(Self(text))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AddressError {
    /// An error that says what is wrong with the address, and what would be right.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::str::FromStr for ChannelKind {
    type Err = ChannelKindError;

    fn from_str(text: &str) -> Result<Self, ChannelKindError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ChannelKind {
    type Error = ChannelKindError;

    fn try_from(text: String) -> Result<Self, ChannelKindError> {
        Self::parse(&text)
    }
}

impl From<ChannelKind> for String {
    fn from(kind: ChannelKind) -> Self {
        kind.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::new(text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_kinds_are_short_lower_case_words() {
        for good in ["sms", "email", "x", "pager-duty", "a1"] {
            assert_eq!(ChannelKind::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "SMS", "1a", "-a", "a b", "a_b", "é", &"a".repeat(33)] {
            assert!(ChannelKind::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_holds_no_control_characters() {
        assert!(Address::new("a@b\r\nBcc: c@d").is_err());
        assert!(Address::new("").is_err());
        assert!(Address::new("x".repeat(2049)).is_err());
        assert_eq!(
            Address::new("+447700900000").unwrap().as_str(),
            "+447700900000"
        );
    }
}
