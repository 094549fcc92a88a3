//! The pages of contacts, groups and events, over a store in memory.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod contact;
mod endpoint;
mod event;
mod group;
mod world;
