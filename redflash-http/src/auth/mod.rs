//! TODO: one line.

pub(crate) mod api_key;
pub(crate) mod password;
