//! The HTTP contract of the service that this one replaces.

pub(crate) mod error;
pub(crate) mod inspect;
pub(crate) mod raise;
pub(crate) mod routes;
pub(crate) mod target_kind;
