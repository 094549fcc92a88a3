//! Signatures of requests and callbacks.

pub(crate) mod hmac;
#[cfg(feature = "sms")]
pub(crate) mod jwt;
#[cfg(feature = "x")]
pub(crate) mod oauth1;
