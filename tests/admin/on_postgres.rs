//! Tests of the web admin on Postgres.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod create;
mod log;
mod login;
mod plain;
mod preview;
mod refusal;
mod send;
mod switch;
mod world;
