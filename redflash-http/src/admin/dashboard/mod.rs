//! TODO: one line.

pub(crate) mod chart;
pub(crate) mod disabled;
pub(crate) mod home;
