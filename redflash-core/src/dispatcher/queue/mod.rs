//! The store's queue as time passes: deliveries that expire, and steps of the wall clock.

mod expiry;
mod poll;
pub(super) mod wall_clock;
