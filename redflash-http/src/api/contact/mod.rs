//! `/api/v1/contacts`.

mod dto;
mod routes;

pub(super) use routes::routes;
