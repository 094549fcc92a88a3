//! Reading and writing short texts: durations, percent-encoding and truncation.

pub(crate) mod duration;
#[cfg(any(feature = "sms", feature = "x"))]
pub(crate) mod percent;
#[cfg(any(feature = "chat", feature = "x"))]
pub(crate) mod truncate;
