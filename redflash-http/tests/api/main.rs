//! The API, over a store in memory.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod contact;
mod description;
mod endpoint;
mod world;
