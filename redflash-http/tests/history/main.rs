//! The pages of what is sent and what came back, over a store in memory.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod csv;
mod gateway;
mod inbound;
mod live;
mod log;
mod notification;
mod send;
mod world;
