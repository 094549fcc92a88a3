//! Every gateway against the channel suite, over real connections.

#![expect(clippy::unwrap_used, reason = "a fixture fails a test by panicking")]

mod bulksms;
mod clickatell;
mod clickatell_classic;
mod console;
mod messagemedia;
mod sms;
mod smtp;
mod twilio;
mod vendor;
mod vonage;
mod webhook;
