//! The gateways of RedFlash, one file each.
//!
//! | type in the configuration | channel | file |
//! | --- | --- | --- |
//! | `console` | any | [`console`] |
//! | `discord` | `discord` | [`discord`] |
//! | `exec` | any | [`exec`] |
//! | `gotify` | `gotify` | [`gotify`] |
//! | `matrix` | `matrix` | [`matrix`] |
//! | `ntfy` | `ntfy` | [`ntfy`] |
//! | `pagerduty` | `pagerduty` | [`pagerduty`] |
//! | `pushover` | `pushover` | [`pushover`] |
//! | `signal` | `signal` | [`signal`] |
//! | `slack` | `slack` | [`slack`] |
//! | `smtp` | `email` | [`smtp`] |
//! | `teams` | `teams` | [`teams`] |
//! | `telegram` | `telegram` | [`telegram`] |
//! | `vonage` | `sms` | [`vonage`] |
//! | `webhook` | `webhook` | [`webhook`] |
//!
//! A program that embeds RedFlash makes a channel of its configuration struct, such as
//! `Webhook::new(WebhookConfig::default())`. The server makes gateways of tables in a file: see
//! [`configure`].

pub mod console;
#[cfg(feature = "chat")]
pub mod discord;
mod duration;
mod error;
#[cfg(feature = "exec")]
pub mod exec;
#[cfg(feature = "chat")]
pub mod gotify;
#[cfg(feature = "sms")]
mod gsm7;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "mac")]
mod mac;
#[cfg(feature = "chat")]
pub mod matrix;
#[cfg(feature = "chat")]
pub mod ntfy;
#[cfg(feature = "chat")]
pub mod pagerduty;
#[cfg(any(feature = "chat", feature = "sms"))]
mod phone;
#[cfg(feature = "chat")]
mod places;
#[cfg(feature = "chat")]
pub mod pushover;
mod registry;
#[cfg(feature = "sms")]
mod sender;
mod settings;
#[cfg(feature = "chat")]
pub mod signal;
#[cfg(feature = "chat")]
pub mod slack;
#[cfg(feature = "email")]
pub mod smtp;
#[cfg(feature = "chat")]
pub mod teams;
#[cfg(feature = "chat")]
pub mod telegram;
#[cfg(feature = "chat")]
mod text;
#[cfg(feature = "sms")]
pub mod vonage;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use error::ConfigError;
pub use registry::{Configured, GatewayType, TYPES, configure, parse_address};
