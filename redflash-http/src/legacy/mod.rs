//! TODO: one line.

pub(crate) mod error;
pub(crate) mod inspect;
pub(crate) mod raise;
