//! TODO: one line.

pub(crate) mod list;
pub(crate) mod new_password;
pub(crate) mod page;
