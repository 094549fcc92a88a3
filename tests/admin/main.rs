//! Tests of the web admin with the real binary and a real browser.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod axe;
mod create;
mod hostile;
mod log;
mod login;
mod pages;
mod plain;
mod preview;
mod refusal;
mod send;
mod switch;
mod table;
mod world;
