//! TODO: one line.

pub(crate) mod endpoint;
pub(crate) mod endpoint_test;
pub(crate) mod list;
pub(crate) mod page;
