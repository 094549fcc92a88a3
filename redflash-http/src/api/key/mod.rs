//! `/api/v1/keys`.

mod dto;
mod routes;

pub(super) use routes::routes;
