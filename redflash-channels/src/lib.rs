//! The gateways of RedFlash, one file each.
//!
//! | type in the configuration | channel | file |
//! | --- | --- | --- |
//! | `bulksms` | `sms` | [`bulksms`] |
//! | `clickatell` | `sms` | [`clickatell`] |
//! | `clickatell-classic` | `sms` | [`clickatell_classic`] |
//! | `console` | any | [`console`] |
//! | `messagemedia` | `sms` | [`messagemedia`] |
//! | `smtp` | `email` | [`smtp`] |
//! | `twilio` | `sms` | [`twilio`] |
//! | `vonage` | `sms` | [`vonage`] |
//! | `webhook` | `webhook` | [`webhook`] |
//!
//! A program that embeds RedFlash makes a channel of its configuration struct, such as
//! `Webhook::new(WebhookConfig::default())`. The server makes gateways of tables in a file: see
//! [`configure`].

#[cfg(feature = "sms")]
pub mod bulksms;
#[cfg(feature = "sms")]
pub mod clickatell;
#[cfg(feature = "sms")]
pub mod clickatell_classic;
pub mod console;
mod duration;
mod error;
#[cfg(feature = "sms")]
mod gsm7;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "mac")]
mod mac;
#[cfg(feature = "sms")]
pub mod messagemedia;
#[cfg(feature = "sms")]
mod phone;
mod registry;
#[cfg(feature = "sms")]
mod sender;
mod settings;
#[cfg(feature = "email")]
pub mod smtp;
#[cfg(feature = "sms")]
pub mod twilio;
#[cfg(feature = "sms")]
pub mod vonage;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use error::ConfigError;
pub use registry::{Configured, GatewayType, TYPES, configure, parse_address};
