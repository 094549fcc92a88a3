//! The log of notifications, with the state of their deliveries.

pub(crate) mod csv;
pub(crate) mod deliveries;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod notification;
pub(crate) mod query;
pub(crate) mod state_counts;
pub(crate) mod stream;
pub(crate) mod stream_slots;
