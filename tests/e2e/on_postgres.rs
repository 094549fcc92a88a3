//! The whole-system tests once more, with everything kept on Postgres.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod callback;
mod delivery;
mod mail;
mod operator;
mod process;
mod raising;
mod reload;
mod secret;
mod sms;
mod switch;
mod user;
mod webhook;
mod world;
