//! Gateways: configured, named instances of a channel.

mod budget;
mod callback;
mod channel;
pub(crate) mod gateways;
mod status;
mod view;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

pub use crate::dispatcher::{GatewayHealth, GatewayState};
pub use budget::Budget;
pub use callback::{Authenticity, Callback, CallbackError};
pub use channel::{Capabilities, Channel, IntoChannel};
pub use gateways::{DuplicateGateway, Gateways};
pub use status::{GatewayStatus, GatewayStatuses};
pub use view::{Callbacks, GatewayDetails, GatewayView};

use crate::delivery::RetrySchedule;
use crate::message::SenderError;
use crate::model::{Address, Slug};

/// A configured, named instance of a channel.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Name in configuration, logs and callbacks.
    pub name: Slug,
    /// Type in the configuration, such as `smtp`; otherwise the kind of its channel.
    pub type_name: String,
    /// Channel that sends.
    pub channel: Arc<dyn Channel>,
    /// Limits on concurrency and rate.
    pub limits: Limits,
    /// Retry schedule.
    pub schedule: RetrySchedule,
    /// Prefixes of the addresses it serves, such as `+44`; all addresses if empty.
    pub prefixes: Vec<String>,
    /// Senders that messages may choose; any that the channel allows if empty.
    pub senders: Vec<String>,
    /// Limits on the number of messages.
    pub budget: Budget,
    /// Action for a message of unknown outcome.
    pub on_unknown: OnUnknown,
    /// Time to wait for a receipt before the message goes through another gateway as well; `None`
    /// to wait forever.
    pub receipt_timeout: Option<Duration>,
}

/// The action for a message of unknown outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// Resend it; it may arrive twice.
    #[default]
    Resend,
    /// Set it aside until it is resent, or a receipt reports that it arrived. A gateway that
    /// detects repeats gets it again all the same.
    Hold,
}

/// The limits on concurrency and rate of a gateway. Write `..Limits::default()`, since more may
/// come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The maximum number of messages under way at once, per host where hosts fail apart.
    pub concurrency: u32,
    /// The maximum number of messages started per second; `None` for no limit.
    pub per_second: Option<f64>,
    /// Time after which a hand-over is abandoned with an unknown outcome if the channel does not
    /// end it itself: a little longer than the channel's own timeout.
    pub deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 32,
            per_second: None,
            deadline: Duration::from_secs(30),
        }
    }
}

impl Gateway {
    /// Creates a gateway with default limits and the patient retry schedule.
    pub fn new(name: Slug, channel: impl IntoChannel) -> Self {
        let channel = channel.into_channel();
        Self {
            name,
            type_name: channel.kind().to_string(),
            channel,
            limits: Limits::default(),
            schedule: RetrySchedule::patient(),
            prefixes: Vec::new(),
            senders: Vec::new(),
            budget: Budget::default(),
            on_unknown: OnUnknown::default(),
            receipt_timeout: None,
        }
    }

    /// Returns its abilities, in a word or two each.
    pub fn abilities(&self) -> impl Iterator<Item = &'static str> {
        let can = self.channel.capabilities();
        let all = [
            (can.receipts, "receipts"),
            (can.inbound, "replies"),
            (can.sender, "senders"),
            (can.subject, "subjects"),
            (can.batch > 1, "batches"),
            (can.idempotent, "idempotency"),
        ];
        all.into_iter()
            .filter_map(|(can, word)| can.then_some(word))
    }

    /// Returns true if it serves this address.
    pub fn serves(&self, address: &Address) -> bool {
        serves(&self.prefixes, address)
    }

    /// Checks that a message may use this sender.
    ///
    /// # Errors
    ///
    /// [`SenderError`] names the allowed senders.
    pub fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        if !self.senders.is_empty() && !self.senders.iter().any(|allowed| allowed == sender) {
            let reason = format!("it is one of {}", self.senders.join(", "));
            return Err(SenderError::new(reason));
        }
        self.channel.check_sender(sender)
    }

    /// Returns the shortest safe lease: two hand-overs, and time to record their outcomes.
    pub fn shortest_lease(&self) -> Duration {
        const RECORDING: Duration = Duration::from_secs(2);
        self.limits.deadline.saturating_mul(2) + RECORDING
    }

    /// Returns the gateway with other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Returns the gateway with another retry schedule.
    #[must_use]
    pub fn with_schedule(mut self, schedule: RetrySchedule) -> Self {
        self.schedule = schedule;
        self
    }
}

/// Returns true if `address` starts with one of `prefixes`, or if there are none.
fn serves(prefixes: &[String], address: &Address) -> bool {
    // A user name must not pass for the host: https://hooks.example.org@elsewhere.example/
    let address = address.without_userinfo();
    prefixes.is_empty() || prefixes.iter().any(|prefix| address.starts_with(&**prefix))
}
