//! The stores: the suite on each, and what is particular to them.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

#[cfg(feature = "sqlite")]
mod file;
#[cfg(feature = "postgres")]
mod server;
