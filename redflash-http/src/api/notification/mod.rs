//! `/api/v1/notifications`: raised alerts, and the states of their deliveries.

mod delivery;
mod dto;
mod routes;

pub(super) use routes::routes;
