//! Channel kinds, and addresses on them.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// The kind of a channel, an open set: `sms`, `email`, `webhook`, or one that a program brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelKind(String);

/// An address in the normal form of its channel.
///
/// [`Channel::parse_address`](crate::gateway::Channel::parse_address) makes it when it is saved, and nothing
/// parses it again: two endpoints have the same destination exactly if their addresses are equal.
///
/// A URL may hold a user and a password, as in `https://me:secret@hooks.example.org/`. `Display`,
/// `Debug` and `Serialize` mask the password; [`as_str`](Self::as_str) returns the whole address, which
/// stores keep and channels use.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

/// Reason why a text is not a valid address, for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

/// Error for a text that is not a channel kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a channel: use 1 to 32 of a-z, 0-9 and -, starting with a letter")]
pub struct ChannelKindError(String);

impl ChannelKind {
    /// Parses a channel kind.
    ///
    /// # Errors
    ///
    /// [`ChannelKindError`] if the text is not 1 to 32 of `a-z 0-9 -` starting with a letter.
    pub fn parse(text: &str) -> Result<Self, ChannelKindError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts_well || text.len() > 32 || !text.bytes().all(legal) {
            return Err(ChannelKindError(text.chars().take(64).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Text messages to phone numbers.
    pub fn sms() -> Self {
        Self("sms".into())
    }

    /// Email.
    pub fn email() -> Self {
        Self("email".into())
    }

    /// HTTP requests to a URL.
    pub fn webhook() -> Self {
        Self("webhook".into())
    }

    /// Returns the kind as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Address {
    /// Replacement for a password.
    pub const MASK: &'static str = "***";
    /// The longest address, in bytes.
    pub const MAX_LENGTH: usize = 2048;

    /// Creates an address from a text in the normal form of its channel.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if the text is empty, too long, or contains a control character.
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

    /// Returns the whole address, including a password in a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the address for display: `***` replaces the password of a URL, or a user without
    /// one.
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

    /// Returns the address without the user and password of a URL.
    pub fn without_userinfo(&self) -> Cow<'_, str> {
        match self.userinfo() {
            Some((scheme, _, rest)) => Cow::Owned(format!("{scheme}://{rest}")),
            None => Cow::Borrowed(&self.0),
        }
    }

    /// Returns the part of a URL after its user and password, or the whole address if it has
    /// neither.
    pub fn after_userinfo(&self) -> &str {
        self.userinfo().map_or(&self.0, |(_, _, rest)| rest)
    }

    /// Returns the scheme, the user info, and the rest of a URL that has user info.
    fn userinfo(&self) -> Option<(&str, &str, &str)> {
        let (scheme, rest) = self.0.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let at = rest[..end].rfind('@')?;
        Some((scheme, &rest[..at], &rest[at + 1..]))
    }

    /// Returns true if `text` is this address, whole or masked.
    pub fn is_written(&self, text: &str) -> bool {
        text == self.0 || text == self.masked()
    }
}

impl AddressError {
    /// Creates an error from a reason: the problem, and a valid form.
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
    fn accepts_short_lower_case_channel_kinds() {
        for good in ["sms", "email", "x", "pager-duty", "a1"] {
            assert_eq!(ChannelKind::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "SMS", "1a", "-a", "a b", "a_b", "é", &"a".repeat(33)] {
            assert!(ChannelKind::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn rejects_control_characters() {
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
