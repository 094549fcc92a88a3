//! What the gateways that speak HTTP share: one request, one deadline, a bounded answer.

#[cfg(feature = "account")]
mod account;
mod answer;
mod client;
mod guard;
mod request;

#[cfg(feature = "account")]
pub(crate) use account::{account_refusal, basic, endpoint, secret_header};
pub(crate) use answer::refusal;
#[cfg(feature = "account")]
pub(crate) use answer::{Answer, short};
pub(crate) use client::Client;
pub(crate) use guard::Guard;
pub(crate) use request::Request;
