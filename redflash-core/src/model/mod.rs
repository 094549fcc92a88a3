//! The directory: contacts, groups, events, keys and users, with their names and ids.

mod address;
mod api_key;
mod audit;
mod contact;
mod event;
mod group;
mod id;
mod name;
mod session;
mod slug;
mod target;
mod target_view;
mod user;

pub use address::{Address, AddressError, ChannelKind, ChannelKindError};
pub use api_key::{ApiKey, CheckedKey, KeyError, KeyHash, KeyHashError, KeyView, Scope};
pub use audit::{Action, ActionError, Actor, ActorError, AuditEntry};
pub use contact::{Contact, Endpoint};
pub use event::{Event, MissingArguments, MissingArgumentsError};
pub use group::Group;
pub use id::{AuditEntryId, DeliveryId, EndpointId, IdError, InboundId, NotificationId, WorkerId};
pub use name::{Name, NameError};
pub use session::Session;
pub use slug::{Slug, SlugError};
pub use target::{Target, TargetError};
pub use target_view::TargetView;
pub use user::{PasswordHash, Role, RoleError, User, UserView};

/// Returns the default of `enabled`.
const fn on() -> bool {
    true
}
