//! Crashes: processes killed and stopped under load, disks that fill up, power that fails.
//!
//! What was accepted is known from the client's side alone: see [`load`].

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod disk;
mod kill;
mod load;
mod missing;
mod mount;
mod power;
mod stop;
