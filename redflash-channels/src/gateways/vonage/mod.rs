//! Vonage, formerly Nexmo: the channel `sms`, over its SMS API or its Messages API.

mod callback;
pub mod messages;
mod signature;
pub mod sms;

pub use callback::CallbackFormat;
pub use signature::SignatureMethod;
