//! TODO: one line.

pub(crate) mod arguments;
pub(crate) mod form;
pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod preview;
pub(crate) mod samples;
