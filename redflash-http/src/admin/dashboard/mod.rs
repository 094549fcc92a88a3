//! The home page.

pub(crate) mod chart;
pub(crate) mod disabled;
pub(crate) mod home;
