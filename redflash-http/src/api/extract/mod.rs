//! TODO: one line.

pub(crate) mod json_body;
pub(crate) mod path;
pub(crate) mod precondition;
pub(crate) mod query;
