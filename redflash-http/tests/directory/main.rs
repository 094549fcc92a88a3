//! The pages of the web admin, over a store in memory.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod audit;
mod browser;
mod contact;
mod endpoint;
mod event;
mod group;
mod home;
mod key;
mod login;
mod profile;
mod search;
mod user;
mod world;
