//! The engine and its dispatcher over the memory store, with a clock and a gateway that do as told.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod dispatch;
mod fairness;
mod raising;
mod recovery;
mod world;
