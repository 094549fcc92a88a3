//! `/api/v1/gateways`: the gateways of the configuration, and their states.

pub(super) mod dto;
mod routes;

pub(super) use routes::routes;
