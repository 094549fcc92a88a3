//! Callbacks: requests of gateways to us.

use std::borrow::Cow;

/// A request of a gateway, with everything a channel needs to read and verify it.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    /// Method, in upper case.
    pub method: &'a str,
    /// The whole URL as the gateway called it, for signatures over it: our public URL, the path and
    /// the query.
    pub url: &'a str,
    /// Fields of the query and of a form or flat JSON body, in order, decoded.
    pub fields: &'a [(String, String)],
    /// Headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// Raw body, for signatures over it.
    pub body: &'a [u8],
}

impl<'a> Callback<'a> {
    /// Returns the value of a field; the last one if it is repeated.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        let mut from_last = self.fields.iter().rev();
        from_last
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reason why a callback could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The channel has no such callback.
    #[error("this channel has no such callback")]
    Unsupported,
    /// The signature is missing, wrong or too old.
    #[error("invalid callback signature: {0}")]
    Signature(Cow<'static, str>),
    /// Something is missing or malformed.
    #[error("malformed callback: {0}")]
    Malformed(Cow<'static, str>),
}

/// The result of a signature check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// The channel is not configured to check signatures.
    Unsigned,
    /// The signature is valid.
    Signed,
}
