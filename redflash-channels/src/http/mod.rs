//! What the gateways that speak HTTP share: one request, one deadline, a bounded answer.

mod answer;
mod client;
mod guard;

pub(crate) use answer::refusal;
pub(crate) use client::{Client, Request};
pub(crate) use guard::Guard;
