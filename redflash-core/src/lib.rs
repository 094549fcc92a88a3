//! RedFlash raises alerts and delivers them to people and systems by text message, email, webhook and
//! other channels. This crate holds its domain, the engine that raises and sends, and the traits that
//! channels and stores implement. It does no I/O of its own.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use async_trait::async_trait;
//! use redflash_core::prelude::*;
//!
//! /// Prints each message.
//! #[derive(Debug)]
//! struct Console;
//!
//! #[async_trait]
//! impl Channel for Console {
//!     fn kind(&self) -> ChannelKind {
//!         ChannelKind::parse("console").expect("the kind is valid")
//!     }
//!
//!     fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
//!         Address::new(raw)
//!     }
//!
//!     async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
//!         println!("to {}: {}", message.to, message.body);
//!         Ok(Accepted::delivered("printed"))
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let gateway = Gateway::new("console".parse()?, Console);
//!     let engine = Engine::builder(MemoryStore::new()).gateway(gateway).build()?;
//!
//!     let channel = ChannelKind::parse("console")?;
//!     let address = engine.gateways().parse_address(&channel, "desk 1")?;
//!     let ann = Contact::new("ann".parse()?, "Ann".parse()?);
//!     let ann = ann.with_endpoint(EndpointId::new(engine.now()), channel, address);
//!     engine.ensure_contact(&ann, &Actor::Operator("example".into())).await?;
//!
//!     let dispatcher = engine.start().await?;
//!     let raised = engine.raise(Raise::contact("ann".parse()?, "The disk is full.")).await?;
//!     let deliveries = engine.wait(raised.notification, Duration::from_secs(5)).await?;
//!     assert_eq!(deliveries[0].delivery.state, DeliveryState::Delivered);
//!
//!     dispatcher.shutdown(Duration::from_secs(5)).await;
//!     Ok(())
//! }
//! ```
//!
//! The [`guide`] covers the life of an engine in a program that embeds it.
//!
//! # Modules
//!
//! The [`prelude`] has what most programs need. Everything else is in the module of its concern; the
//! root holds [`Engine`] and what belongs to no concern.
//!
//! # Terms
//!
//! Each term has one meaning in types, columns, JSON and commands.
//!
//! | term | meaning |
//! | --- | --- |
//! | contact | a person or system to notify; has endpoints; on/off |
//! | endpoint | one address of a contact on one channel; on/off |
//! | channel | a kind of transport, such as `sms`, `email` or `webhook` |
//! | gateway | a configured, named instance of a channel |
//! | group | a named set of contacts; on/off |
//! | event | a named occurrence with a message template and the contacts and groups to notify; on/off |
//! | target | a contact, group or event that an alert is raised at |
//! | raise | a request for a notification at a target |
//! | notification | the record of one raise: its plan, time and arguments |
//! | plan | the decision for one raise: the message, and a verdict for each endpoint |
//! | verdict | whether an endpoint gets the message, or the reason to skip it |
//! | delivery | one message to one endpoint: queue entry and log entry in one |
//! | attempt | one hand-over of a delivery to a gateway |
//! | receipt | a gateway's later report about a delivery |
//! | inbound | a message that a person sent back |
//! | lane | a queue of deliveries that fail together: a channel, or one host of it |
//! | lease | the right of one worker to hand over a delivery, for a time |
//! | settlement | the end of a lease: the attempt, and the delivery's disposition |
//! | meter | a count per hour or day that a budget limits |
//! | budget | the limits on messages through a gateway |
//! | alarm | a gateway that has stopped or that refuses messages, reported once an episode |
//! | API key | the secret of a system that raises alerts, with a scope; on/off |
//! | user | a person who may log in, with a role; on/off |
//! | session | a login of a user |
//! | actor | the user, key, operator or contact that caused a change |
//! | audit entry | one change: its actor, action, subject and time |
//! | store | the database behind the traits of [`store`] |

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
pub mod prelude;
mod settings;
pub mod store;
pub mod template;
mod waiter;

pub use closest::closest;
pub use engine::Engine;
pub use error_chain::{BoxError, error_chain};
pub use log_target::is_own_log_target;
