//! Reasons why an alert was not raised, or a callback not applied.

use std::time::Duration;

use crate::clock::ClockError;
use crate::gateway::CallbackError;
use crate::model::{NotificationId, Slug, Target};
use crate::plan::Plan;
use crate::store::StoreError;

/// Reason why an alert was not raised. Nothing is sent, except if the store's outcome is unknown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RaiseError {
    /// There is no such target.
    #[error("there is no {0}")]
    UnknownTarget(Target),
    /// The target is switched off.
    #[error("{0} is switched off")]
    Disabled(Target),
    /// The message is empty.
    #[error("the message is empty")]
    EmptyMessage,
    /// The event or the raise requires all arguments, and some are missing.
    #[error("{} is missing arguments: {}{}", .0.target, .0.missing.join(", "), list_unused(&.0.unused))]
    MissingArguments(Box<Plan>),
    /// The raise allows no unused arguments, and there are some.
    #[error("{} does not use these arguments: {}", .0.target, .0.unused.join(", "))]
    UnusedArguments(Box<Plan>),
    /// No recipient can be reached; the plan has the reason for each.
    #[error("nobody behind {} can be reached", .0.target)]
    NoRecipients(Box<Plan>),
    /// The plan has more deliveries than a notification can have.
    #[error("the alert would have {0} deliveries; the maximum is {max}", max = crate::model::DeliveryId::MAX_PER_NOTIFICATION)]
    TooManyRecipients(usize),
    /// Its API key does not allow it any more.
    #[error("API key {0} was switched off, removed or restricted in the meantime")]
    KeyRevoked(Slug),
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    IdempotencyMismatch,
    /// Too many deliveries are queued.
    #[error("the queue is full; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// Time after which to try again.
        retry_after: Duration,
    },
    /// The alert is too large.
    #[error("the alert has {size} {what}; the maximum is {most}")]
    TooLarge {
        /// The unit that is counted, such as `bytes of text`.
        what: &'static str,
        /// The size of the alert.
        size: usize,
        /// The largest size allowed.
        most: usize,
    },
    /// The clock shows a time that cannot be stored.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The store failed.
    #[error("{}", not_recorded(notification.as_ref()))]
    Store {
        /// The notification's id, if it may have been recorded.
        notification: Option<NotificationId>,
        /// The store's error.
        source: StoreError,
    },
}

/// Returns the message for an alert that was not recorded, or may not have been.
fn not_recorded(perhaps: Option<&NotificationId>) -> String {
    match perhaps {
        None => "the alert could not be recorded".to_owned(),
        Some(id) => format!(
            "the alert may have been recorded as {id}: check that notification, or retry with the same idempotency key"
        ),
    }
}

/// Lists unused arguments, which may be misspelt names of missing ones.
fn list_unused(unused: &[String]) -> String {
    match unused {
        [] => String::new(),
        unused => format!("; not used: {}", unused.join(", ")),
    }
}

impl RaiseError {
    /// Returns the code for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownTarget(_) => "unknown_target",
            Self::Disabled(_) => "disabled",
            Self::EmptyMessage => "empty_message",
            Self::MissingArguments(_) => "missing_arguments",
            Self::UnusedArguments(_) => "unused_arguments",
            Self::NoRecipients(_) => "no_recipients",
            Self::TooManyRecipients(_) => "too_many_recipients",
            Self::KeyRevoked(_) => "key_revoked",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::Overloaded { .. } => "overloaded",
            Self::TooLarge { .. } => "too_large",
            Self::Clock(_) => "clock_wrong",
            Self::Store {
                notification: None, ..
            } => "store_unavailable",
            Self::Store { .. } => "store_unknown",
        }
    }
}

impl RaiseError {
    /// Returns true if the error depends on the directory, which may have been read before a
    /// change.
    pub(super) const fn is_decided_by_directory(&self) -> bool {
        matches!(
            self,
            Self::UnknownTarget(_)
                | Self::Disabled(_)
                | Self::EmptyMessage
                | Self::MissingArguments(_)
                | Self::UnusedArguments(_)
                | Self::NoRecipients(_)
                | Self::KeyRevoked(_)
        )
    }
}

impl RaiseError {
    /// Returns true if the same request may have been recorded earlier under its idempotency key,
    /// when it was still valid. A request that its API key no longer allows is refused all the
    /// same.
    pub(super) const fn gives_way_to_repeat(&self) -> bool {
        matches!(
            self,
            Self::UnknownTarget(_)
                | Self::Disabled(_)
                | Self::EmptyMessage
                | Self::MissingArguments(_)
                | Self::UnusedArguments(_)
                | Self::NoRecipients(_)
                | Self::TooManyRecipients(_)
                | Self::Overloaded { .. }
        )
    }
}

impl From<StoreError> for RaiseError {
    fn from(source: StoreError) -> Self {
        Self::Store {
            notification: None,
            source,
        }
    }
}

/// Reason why a callback was not applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// No gateway has this name.
    #[error("there is no gateway {0}")]
    UnknownGateway(Slug),
    /// The callback could not be read.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The store failed.
    #[error("the callback could not be recorded")]
    Store(#[from] StoreError),
}
