//! Extractors of the API, which reject requests with [problems](crate::api::problem::Problem).

pub(crate) mod json_body;
pub(crate) mod path;
pub(crate) mod precondition;
pub(crate) mod query;
