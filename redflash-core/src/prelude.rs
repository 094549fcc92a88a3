//! The types of an ordinary program: one that builds an engine, raises alerts and brings a channel.
//!
//! ```
//! use redflash_core::prelude::*;
//! ```

pub use crate::delivery::DeliveryState;
pub use crate::engine::{DispatcherHandle, Engine, RaiseError, Raised};
pub use crate::gateway::{Channel, Gateway};
pub use crate::message::{Accepted, Content, OutboundMessage, Raise, SendError};
pub use crate::model::{
    Actor, Address, AddressError, ChannelKind, Contact, Endpoint, EndpointId, Event, Group, Name,
    NotificationId, Slug, Target,
};
pub use crate::store::{MemoryStore, Store};
pub use crate::template::Arguments;
