//! HTTP requests of gateways, each with one deadline and a bounded answer.

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
#[cfg(feature = "chat")]
pub(crate) use account::room_refusal;
#[cfg(feature = "account")]
pub(crate) use account::{account_refusal, account_refusal_by_403, basic, endpoint, secret_header};
#[cfg(feature = "account")]
pub(crate) use answer::short;
pub(crate) use answer::{Answer, refusal};
#[cfg(feature = "sms")]
pub(crate) use batch::{Outcomes, Suspects, take_first, unanswered};
pub(crate) use client::Client;
pub(crate) use guard::Guard;
pub use options::HttpOptions;
pub(crate) use request::Request;
