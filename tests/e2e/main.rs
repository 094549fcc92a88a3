//! Whole-system tests over the real binary: alerts go in over HTTP and the command line, and come
//! out at mail servers, webhooks and an SMS gateway.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod callback;
mod delivery;
mod file;
mod importing;
mod kannel;
mod mail;
mod operator;
mod postfix;
mod process;
mod python;
mod raising;
mod reload;
mod remote;
mod secret;
mod shell;
mod sms;
mod startup;
mod switch;
mod user;
mod webhook;
mod world;
