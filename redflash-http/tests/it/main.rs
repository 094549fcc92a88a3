//! The server over a store in memory.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod access;
mod admin;
mod api;
mod audit_log;
mod connection;
mod fake_channel;
mod large_body;
mod login;
mod old_texts;
mod prefix;
mod raising;
mod site;
