//! Where a message goes: a channel and an address on it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A way of telling, as an open kind: `sms`, `email`, `webhook`, or one an embedder brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelKind(String);

/// An address in the normal form that its channel gave it.
///
/// Made by [`Channel::parse_address`](crate::Channel::parse_address) when it is saved, and never
/// parsed again: two endpoints are the same place exactly if their addresses are equal.
///
/// A URL may hold a user and a password, as in `https://me:secret@hooks.example.org/`. `Display`,
/// `Debug` and `Serialize` mask the password; [`as_str`](Self::as_str) returns the whole address, which
/// stores keep and channels use.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
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
    /// The characters shown in the place of a password.
    pub const MASK: &'static str = "***";
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

    /// The whole address, including a password that a URL may hold.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address for people: `***` in the place of a URL's password, or of a user without one.
    pub fn masked(&self) -> Cow<'_, str> {
        let Some((scheme, userinfo, rest)) = self.userinfo() else {
            return Cow::Borrowed(&self.0);
        };
        let user = match userinfo.split_once(':') {
            Some((user, _)) => format!("{user}:"),
            None => String::new(),
        };
        Cow::Owned(format!("{scheme}://{user}{}@{rest}", Self::MASK))
    }

    /// The address without the user and the password that a URL may hold.
    pub fn without_userinfo(&self) -> Cow<'_, str> {
        match self.userinfo() {
            Some((scheme, _, rest)) => Cow::Owned(format!("{scheme}://{rest}")),
            None => Cow::Borrowed(&self.0),
        }
    }

    /// The part of a URL behind its user and password, if it holds them; otherwise the whole address.
    pub fn after_userinfo(&self) -> &str {
        self.userinfo().map_or(&self.0, |(_, _, rest)| rest)
    }

    /// The scheme, the user with the password, and the rest of a URL that has all three.
    fn userinfo(&self) -> Option<(&str, &str, &str)> {
        let (scheme, rest) = self.0.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let at = rest[..end].rfind('@')?;
        Some((scheme, &rest[..at], &rest[at + 1..]))
    }

    /// Returns true if `text` is this address, in full or as it is shown to people.
    pub fn is_written(&self, text: &str) -> bool {
        text == self.0 || text == self.masked()
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
        f.pad(&self.masked())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.masked()).finish()
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
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

    #[test]
    fn masks_the_password_of_a_url_wherever_it_is_shown() {
        for (whole, shown) in [
            (
                "https://me:canary@a.example/b",
                "https://me:***@a.example/b",
            ),
            (
                "https://me:can:ary@a.example:81?c@d",
                "https://me:***@a.example:81?c@d",
            ),
            ("https://canary@a.example", "https://***@a.example"),
            ("https://a.example/b@c", "https://a.example/b@c"),
            ("a@example.org", "a@example.org"),
        ] {
            let address = Address::new(whole).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(serde_json::to_value(&address).unwrap(), shown);
            assert!(!format!("{address:?}").contains("canary"));
            assert_eq!(address.as_str(), whole);
            assert!(address.is_written(whole) && address.is_written(shown));
            assert!(!address.without_userinfo().contains("canary"));
        }
    }
}
