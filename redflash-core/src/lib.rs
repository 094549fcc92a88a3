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

mod address;
mod api_key;
mod budget;
mod cache;
mod change;
mod channel;
mod clock;
mod closest;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contact;
mod delivery;
mod dispatcher;
mod engine;
mod event;
mod gateway;
mod gateway_status;
mod gateway_view;
mod group;
mod guarded;
// Its code needs a store and a channel: it is compiled with the examples.
#[cfg(not(doctest))]
#[doc = include_str!("guide.md")]
pub mod guide {}
mod id;
mod inbound;
mod lease;
mod log_target;
mod memory;
mod message;
mod message_id;
mod name;
mod notification;
mod panicked;
mod plan;
mod raise;
mod receipt;
mod retry;
mod session;
mod settings;
mod slug;
pub mod store;
mod target;
pub mod template;
mod user;
mod waiter;

pub use address::{Address, AddressError, ChannelKind, ChannelKindError};
pub use api_key::{ApiKey, CheckedKey, KeyError, KeyHash, KeyHashError, KeyView, Scope};
pub use budget::{Budget, Window};
pub use change::{Action, ActionError, Actor, ActorError, AuditEntry};
pub use channel::{Capabilities, Channel};
pub(crate) use clock::Moment;
pub use clock::{Clock, ClockError, ManualClock, Monotonic, SystemClock, Timestamp};
pub use closest::closest;
pub use contact::{Contact, Endpoint};
pub use delivery::{
    Attempt, AttemptOutcome, AttemptOutcomeError, Delivery, DeliveryState, DeliveryStateError,
    Disposition, Job, Lane, Lease, Settled, Settlement,
};
pub use dispatcher::{GatewayHealth, GatewayState, ShutdownReport, StartError};
pub use engine::{
    AddressRules, CallbackKind, CallbackOutcome, DirectoryItem, DispatcherHandle, EditError,
    Engine, EngineBuilder, GatewayTest, GatewayTestRef, GatewayTestView, Health, InvalidField,
    Obstacle, RaiseError, Raised, ReceiveError, Revision,
};
pub use event::{Event, MissingArguments, MissingArgumentsError};
pub use gateway::{BuildError, DuplicateGateway, Gateway, Gateways, Limits, OnUnknown};
pub use gateway_status::{GatewayStatus, GatewayStatuses};
pub use gateway_view::{Callbacks, GatewayDetails, GatewayView};
pub use group::Group;
pub use id::{AuditEntryId, DeliveryId, EndpointId, IdError, InboundId, NotificationId, WorkerId};
pub use inbound::{Inbound, Keyword};
pub use lease::{HeldLease, LeaseGrant, LeaseToken};
pub use log_target::is_own_log_target;
pub use memory::MemoryStore;
pub use message::{
    Accepted, BoxError, Deferral, Origin, OutboundMessage, Price, PriceError, Retry, SendError,
    SenderError, error_chain,
};
pub use name::{Name, NameError};
pub use notification::{Idempotency, Notification};
pub use plan::{
    Message, Plan, PlannedEndpoint, Recipient, Refusal, Skip, TargetView, Verdict,
    cancellation_reason, plan,
};
pub use raise::{Content, Raise};
pub use receipt::{Authenticity, Callback, CallbackError, InboundMessage, Receipt, ReceiptState};
pub use retry::RetrySchedule;
pub use session::Session;
pub use settings::Settings;
pub use slug::{Slug, SlugError};
pub use store::{Audit, Directory, Inbox, Meter, Outbox, Sessions, Store, StoreError};
pub use target::{Target, TargetError};
pub use template::{Arguments, Parameter, Template, TemplateError};
pub use user::{PasswordHash, Role, RoleError, User, UserView};
