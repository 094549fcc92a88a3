//! Every gateway against the channel suite, over real connections.

#![expect(clippy::unwrap_used, reason = "a fixture fails a test by panicking")]

mod console;
mod http_sms;
mod kannel;
mod smtp;
mod vendor;
mod vonage;
mod vonage_messages;
mod webhook;
mod x;
