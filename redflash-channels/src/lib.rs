//! The gateways of RedFlash.
//!
//! Each vendor or protocol has a module of its own. [`guide`] lists the types that a configuration can
//! name, with the capabilities of each.
//!
//! A program that embeds RedFlash creates a channel from its configuration struct, such as
//! `Webhook::new(WebhookConfig::default())`. The server creates gateways from tables of a file: see
//! [`configure`].

// Each family of gateways uses a part of the shared code; all families together use all of it.
#![cfg_attr(
    not(all(feature = "chat", feature = "sms", feature = "webhook", feature = "x")),
    allow(
        dead_code,
        unused_imports,
        reason = "the code that families share is not divided among them"
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
