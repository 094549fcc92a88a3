//! The store's queue: the loop that polls it, deliveries that expire, and steps of the wall clock.

mod expiry;
mod poll;
pub(super) mod wall_clock;
