//! Every gateway against the channel suite, over real connections.

#![expect(clippy::unwrap_used, reason = "a fixture fails a test by panicking")]

mod bulksms;
mod clickatell;
mod clickatell_classic;
mod console;
mod discord;
mod exec;
mod gotify;
mod http_sms;
mod kannel;
mod matrix;
mod messagemedia;
mod ntfy;
mod pagerduty;
mod postfix;
mod proxy;
mod pushover;
mod reuse;
mod signal;
mod slack;
mod sms;
mod smtp;
mod teams;
mod telegram;
mod twilio;
mod vendor;
mod vonage;
mod vonage_messages;
mod webhook;
mod x;
mod x_lookup;
