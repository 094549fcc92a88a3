//! Every gateway against the channel suite, over real connections.

#![expect(clippy::unwrap_used, reason = "a fixture fails a test by panicking")]

mod console;
mod discord;
mod exec;
mod gotify;
mod matrix;
mod ntfy;
mod pagerduty;
mod pushover;
mod signal;
mod slack;
mod smtp;
mod teams;
mod telegram;
mod vendor;
mod vonage;
mod webhook;
