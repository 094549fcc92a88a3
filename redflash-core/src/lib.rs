//! The domain of RedFlash: who is told what, by which channel, and why.
//!
//! The words of the domain, each with one meaning everywhere:
//!
//! | word | meaning |
//! | --- | --- |
//! | contact | a person or system that can be told; has endpoints; on/off |
//! | endpoint | one address of a contact on one channel; on/off |
//! | channel | a way of telling, such as `sms`, `email` or `webhook` |
//! | gateway | a configured, named instance of a channel |
//! | delivery | one message to one endpoint |
//! | user | a person who may log in, with a role; on/off |
//! | change | one entry of the audit log: who did what, when |
//! | attempt | one hand-over of a delivery to a gateway |
//!
//! The [`guide`] shows the life of an engine in a program that embeds it.

mod cache;
pub mod clock;
mod closest;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod delivery;
mod dispatcher;
pub mod engine;
mod error_chain;
pub mod gateway;
mod guarded;
// Its code needs a store and a channel: it is compiled with the examples.
#[cfg(not(doctest))]
#[doc = include_str!("guide.md")]
pub mod guide {}
pub mod inbound;
mod log_target;
mod memory;
pub mod message;
pub mod model;
mod panicked;
pub mod plan;
mod settings;
pub mod store;
pub mod template;
mod waiter;

pub(crate) use clock::Moment;
pub use clock::{Clock, ClockError, ManualClock, Monotonic, SystemClock, Timestamp};
pub use closest::closest;
pub use delivery::*;
pub use engine::*;
pub use error_chain::{BoxError, error_chain};
pub use gateway::*;
pub use inbound::{Inbound, InboundMessage, Keyword};
pub use log_target::is_own_log_target;
pub use message::*;
pub use model::*;
pub use plan::{
    Notification, Plan, PlannedEndpoint, Recipient, Refusal, Skip, Verdict, cancellation_reason,
    plan,
};
pub use store::{
    Audit, Directory, Inbox, MemoryStore, Meter, Outbox, Sessions, Store, StoreError, Window,
};
pub use template::{Arguments, Parameter, Template, TemplateError};
