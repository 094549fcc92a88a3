//! Sending a delivery: a last check, the choice of a gateway, its budget, and the request.

pub(super) mod attempt;
mod budget;
mod hand_over;
mod postpone;
pub(super) mod request;
