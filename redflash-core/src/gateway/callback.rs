//! A request that a gateway made to us.

use std::borrow::Cow;

/// A request that a gateway made to us, with everything a channel needs to read and check it.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The whole URL as the gateway called it, for signatures over it: our public URL, the path and
    /// the query.
    pub url: &'a str,
    /// The fields of the query and of a form or flat JSON body, in order, decoded.
    pub fields: &'a [(String, String)],
    /// The headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body as it came, for signatures over it.
    pub body: &'a [u8],
}

impl<'a> Callback<'a> {
    /// The value of a field: of several of one name, the last.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        let mut from_last = self.fields.iter().rev();
        from_last
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Why a callback could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The channel has no such callback.
    #[error("this channel has no such callback")]
    Unsupported,
    /// The signature is missing, wrong or too old.
    #[error("the callback's signature does not hold: {0}")]
    Signature(Cow<'static, str>),
    /// The callback lacks something or holds nonsense.
    #[error("the callback makes no sense: {0}")]
    Malformed(Cow<'static, str>),
}

/// What a callback's signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// The channel is not configured to check signatures.
    Unsigned,
    /// It holds.
    Signed,
}
