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

#[cfg(feature = "mac")]
mod crypto;
mod gateways;
#[doc = include_str!("guide.md")]
pub mod guide {}
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "chat")]
mod named_destinations;
mod registry;
#[cfg(any(feature = "chat", feature = "sms"))]
mod sms;
mod text;

pub use gateways::*;
#[cfg(feature = "http")]
pub use http::HttpOptions;
pub use registry::{
    COMMON_KEYS, ConfigError, Configured, GatewayType, TYPES, configure, parse_address,
    read_secret_file,
};
