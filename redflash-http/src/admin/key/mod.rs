//! TODO: one line.

pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod permissions;
