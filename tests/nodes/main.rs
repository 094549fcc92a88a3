//! Several nodes on one Postgres: what they share, and what becomes of it when one of them, the
//! database or the network between them fails.
//!
//! What was accepted and what arrived is known from the outside alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod copy;
mod guard;
mod migrate;
mod network;
mod outage;
mod partition;
mod pause;
mod share;
mod takeover;
mod world;
