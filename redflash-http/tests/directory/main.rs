//! The pages of the web admin, over a store in memory.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod browser;
mod contact;
mod endpoint;
mod key;
mod login;
mod profile;
mod user;
mod world;
