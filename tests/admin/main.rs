//! The web admin as its users have it: the real binary, and a real browser that fills in its forms.

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
