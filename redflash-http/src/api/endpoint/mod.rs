//! `/api/v1/contacts/…/endpoints`.

pub(super) mod dto;
mod routes;

pub(super) use routes::routes;
