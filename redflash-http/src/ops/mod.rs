//! TODO: one line.

pub(crate) mod health;
pub(crate) mod metrics;
