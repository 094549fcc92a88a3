//! The engine and its dispatcher over the memory store, with a manual clock and scripted gateways.

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
mod gateway_test;
mod inbound;
mod lease;
mod life;
mod memory;
mod paused;
mod raising;
mod recovery;
mod reload;

mod world;
