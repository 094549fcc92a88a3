//! The gateways of RedFlash, one file each.
//!
//! | type in the configuration | channel | file |
//! | --- | --- | --- |
//! | `console` | any | [`console`] |
//! | `http-sms` | `sms` | [`http_sms`] |
//! | `kannel` | `sms` | [`kannel`] |
//! | `smtp` | `email` | [`smtp`] |
//! | `vonage` | `sms` | [`vonage`] |
//! | `vonage-messages` | `sms` | [`vonage_messages`] |
//! | `webhook` | `webhook` | [`webhook`] |
//! | `x` | `x` | [`x`] |
//!
//! A program that embeds RedFlash makes a channel of its configuration struct, such as
//! `Webhook::new(WebhookConfig::default())`. The server makes gateways of tables in a file: see
//! [`configure`].

pub mod console;
mod duration;
mod error;
#[cfg(feature = "sms")]
mod gsm7;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "sms")]
pub mod http_sms;
#[cfg(feature = "sms")]
mod jwt;
#[cfg(feature = "sms")]
pub mod kannel;
#[cfg(feature = "mac")]
mod mac;
#[cfg(feature = "x")]
mod oauth1;
#[cfg(any(feature = "sms", feature = "x"))]
mod percent;
#[cfg(feature = "sms")]
mod phone;
mod registry;
#[cfg(feature = "sms")]
mod sender;
mod settings;
#[cfg(feature = "email")]
pub mod smtp;
#[cfg(any(feature = "chat", feature = "x"))]
mod text;
#[cfg(feature = "sms")]
pub mod vonage;
#[cfg(feature = "sms")]
mod vonage_callback;
#[cfg(feature = "sms")]
pub mod vonage_messages;
#[cfg(feature = "sms")]
mod vonage_signature;
#[cfg(feature = "webhook")]
pub mod webhook;
#[cfg(feature = "x")]
pub mod x;
#[cfg(feature = "x")]
mod x_error;

pub use error::ConfigError;
pub use registry::{Configured, GatewayType, TYPES, configure, parse_address};
