//! The engine and its dispatcher over the memory store, with a clock and a gateway that do as told.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod alarm;
mod batch;
mod blame;
mod bounds;
mod budget;
mod clock;
mod counting;
mod dispatch;
mod endpoint;
mod expiry;
mod failover;
mod fairness;
mod fan_out;
mod inbound;
mod lease;
mod life;
mod memory;
mod paused;
mod raising;
mod recovery;
mod reload;
mod trial;
mod world;
