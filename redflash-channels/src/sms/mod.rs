//! Text messages: phone numbers, sender ids and message parts.

pub(crate) mod phone;
#[cfg(feature = "sms")]
pub(crate) mod segments;
#[cfg(feature = "sms")]
pub(crate) mod sender_id;
