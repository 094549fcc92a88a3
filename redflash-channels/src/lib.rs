//! The gateways of RedFlash, one file each.
//!
//! Each type that a configuration can name has a module of its own name; [`guide`] has the table of
//! them, with what each can do.
//!
//! A program that embeds RedFlash makes a channel of its configuration struct, such as
//! `Webhook::new(WebhookConfig::default())`. The server makes gateways of tables in a file: see
//! [`configure`].

// Each family of gateways uses its own part of what they share; with all of them, all of it is used.
#![cfg_attr(
    not(all(feature = "chat", feature = "sms", feature = "webhook", feature = "x")),
    allow(
        dead_code,
        unused_imports,
        reason = "what the families share is not divided among them"
    )
)]

#[cfg(all(feature = "exec", not(unix)))]
compile_error!(
    "the feature `exec` of redflash-channels needs a Unix system, such as Linux or macOS: leave it out, with `default-features = false` and the features that you use"
);

#[cfg(feature = "sms")]
pub mod bulksms;
#[cfg(feature = "sms")]
pub mod clickatell;
#[cfg(feature = "sms")]
pub mod clickatell_classic;
mod common;
pub mod console;
mod deadline;
#[cfg(feature = "chat")]
pub mod discord;
mod duration;
mod error;
#[cfg(all(feature = "exec", unix))]
pub mod exec;
#[cfg(feature = "chat")]
pub mod gotify;
#[doc = include_str!("guide.md")]
pub mod guide {}
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
#[cfg(feature = "chat")]
pub mod matrix;
#[cfg(feature = "sms")]
pub mod messagemedia;
#[cfg(feature = "chat")]
pub mod ntfy;
#[cfg(feature = "x")]
mod oauth1;
#[cfg(feature = "chat")]
pub mod pagerduty;
#[cfg(any(feature = "sms", feature = "x"))]
mod percent;
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
#[cfg(any(feature = "chat", feature = "x"))]
mod text;
#[cfg(feature = "sms")]
pub mod twilio;
mod types;
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

pub use common::COMMON_KEYS;
pub use error::ConfigError;
#[cfg(feature = "http")]
pub use http::HttpOptions;
pub use registry::{Configured, configure, parse_address};
pub use settings::read_secret_file;
pub use types::{GatewayType, TYPES};
