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

use crate::{Address, RetrySchedule, SenderError, Slug};

/// A configured, named instance of a channel.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// How it is called in configuration, logs and callbacks.
    pub name: Slug,
    /// What it is in the configuration, such as `smtp`; elsewhere the name of its channel.
    pub type_name: String,
    /// What sends.
    pub channel: Arc<dyn Channel>,
    /// How much it is given at once.
    pub limits: Limits,
    /// When what it could not take is tried again.
    pub schedule: RetrySchedule,
    /// The beginnings of the addresses it is used for, such as `+44`; all when there is none.
    pub prefixes: Vec<String>,
    /// The senders that messages may choose; any that the channel allows when there is none.
    pub senders: Vec<String>,
    /// How much may be sent through it.
    pub budget: Budget,
    /// What is done with a message of unknown outcome.
    pub on_unknown: OnUnknown,
    /// How long a receipt is waited for before the message goes through another gateway as well;
    /// `None` for ever.
    pub receipt_timeout: Option<Duration>,
}

/// What is done with a message of unknown outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// It is sent again, and may arrive twice.
    #[default]
    Resend,
    /// It is set aside until somebody resends it, or a receipt says that it arrived. A gateway that
    /// knows a repeat when it sees one gets it again all the same.
    Hold,
}

/// How much a gateway is given at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// How many messages may be under way at once, per host where hosts fail apart.
    pub concurrency: u32,
    /// How many messages may start in a second; `None` for no bound.
    pub per_second: Option<f64>,
    /// When a hand-over is given up with its outcome unknown, should the channel not end it itself: a
    /// little longer than the channel's own timeout.
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
    /// A gateway with ordinary limits and the patient retry schedule.
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

    /// What it can, in a word or two each.
    pub fn abilities(&self) -> impl Iterator<Item = &'static str> {
        let can = self.channel.capabilities();
        let all = [
            (can.receipts, "receipts"),
            (can.inbound, "replies"),
            (can.sender, "senders"),
            (can.subject, "subjects"),
            (can.batch > 1, "batches"),
            (can.idempotent, "knows repeats"),
        ];
        all.into_iter()
            .filter_map(|(can, word)| can.then_some(word))
    }

    /// Whether it is used for this address.
    pub fn serves(&self, address: &Address) -> bool {
        is_for(&self.prefixes, address)
    }

    /// Whether a message may say that it comes from this sender.
    ///
    /// # Errors
    ///
    /// [`SenderError`] says what is allowed.
    pub fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        if !self.senders.is_empty() && !self.senders.iter().any(|allowed| allowed == sender) {
            let reason = format!("it is one of {}", self.senders.join(", "));
            return Err(SenderError::new(reason));
        }
        self.channel.check_sender(sender)
    }

    /// The shortest lease that is safe with it: two hand-overs, and time to record their outcomes.
    pub fn shortest_lease(&self) -> Duration {
        const RECORDING: Duration = Duration::from_secs(2);
        self.limits.deadline.saturating_mul(2) + RECORDING
    }

    /// The gateway with other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The gateway with another retry schedule.
    #[must_use]
    pub fn with_schedule(mut self, schedule: RetrySchedule) -> Self {
        self.schedule = schedule;
        self
    }
}

/// Whether what is used for addresses that begin so is used for this one.
fn is_for(beginnings: &[String], address: &Address) -> bool {
    // A user name must not pass for the host: https://hooks.example.org@elsewhere.example/
    let address = address.without_userinfo();
    let begins = |beginning: &String| address.starts_with(&**beginning);
    beginnings.is_empty() || beginnings.iter().any(begins)
}
