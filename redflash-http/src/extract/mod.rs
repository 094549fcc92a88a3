//! Extraction of bodies, headers and path parameters from requests.

pub(crate) mod body;
pub(crate) mod body_memory;
pub(crate) mod idempotency;
pub(crate) mod path;
pub(crate) mod strict_json;
