//! What the gateways that speak HTTP share: one request, one deadline, a bounded answer.

#[cfg(feature = "account")]
mod account;
mod answer;
#[cfg(feature = "sms")]
mod batch;
mod client;
mod guard;
mod options;
mod proxy;
mod request;
mod tls;
mod tunnel;

#[cfg(feature = "sms")]
pub(crate) use account::callback_url;
#[cfg(feature = "account")]
pub(crate) use account::{account_refusal, basic, endpoint, secret_header};
pub(crate) use answer::refusal;
#[cfg(feature = "account")]
pub(crate) use answer::{Answer, short};
#[cfg(feature = "sms")]
pub(crate) use batch::{Outcomes, for_each, take_first, unanswered};
pub(crate) use client::Client;
pub(crate) use guard::Guard;
pub use options::HttpOptions;
pub(crate) use options::read_http;
pub(crate) use request::Request;
