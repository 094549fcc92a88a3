//! Queries of the log of notifications.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::delivery::{Attempt, AttemptOutcome, Delivery, DeliveryState};
use crate::model::{ChannelKind, NotificationId, Slug, Target};
use crate::plan::Notification;

/// A delivery with all its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// Attempts, first to last.
    pub attempts_made: Vec<Attempt>,
}

/// A query of notifications, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    /// Only notifications with a delivery in this state.
    pub state: Option<DeliveryState>,
    /// Only notifications with a delivery to this contact.
    pub contact: Option<Slug>,
    /// Only notifications with a delivery on this channel.
    pub channel: Option<ChannelKind>,
    /// Only notifications with a delivery whose present or last gateway is this one.
    pub gateway: Option<Slug>,
    /// Only notifications of this target.
    pub target: Option<Target>,
    /// Only notifications with this text in their name, message or recipients, ignoring the case of
    /// ASCII letters.
    pub text: Option<String>,
    /// Only notifications raised at this time or later.
    pub since: Option<Timestamp>,
    /// Only notifications raised before this time.
    pub until: Option<Timestamp>,
    /// Only notifications before this one: the last of the previous page.
    pub before: Option<NotificationId>,
    /// The maximum number of notifications.
    pub limit: NonZeroU32,
}

impl LogFilter {
    /// The maximum number of notifications that one query scans for conditions without an index:
    /// channel, gateway, target, text, and the states that most deliveries have.
    pub const LOOKED_THROUGH: u32 = 5_000;

    /// Returns a filter for the newest notifications.
    pub const fn newest(limit: NonZeroU32) -> Self {
        Self {
            state: None,
            contact: None,
            channel: None,
            gateway: None,
            target: None,
            text: None,
            since: None,
            until: None,
            before: None,
            limit,
        }
    }

    /// Returns true if the query needs a scan: a condition has no index, or matches most
    /// deliveries.
    pub fn needs_scan(&self) -> bool {
        self.channel.is_some()
            || self.gateway.is_some()
            || self.target.is_some()
            || self.text.is_some()
            || self.state.is_some_and(Self::is_usual)
    }

    /// Returns true if most deliveries end in this state, so that an index of it would be useless.
    pub const fn is_usual(state: DeliveryState) -> bool {
        matches!(state, DeliveryState::Sent | DeliveryState::Delivered)
    }

    /// Returns true if the filter matches a notification, apart from its [`limit`](Self::limit).
    pub fn lets(&self, notification: &Notification, deliveries: &[Delivery]) -> bool {
        let any = |wanted: &dyn Fn(&Delivery) -> bool| deliveries.iter().any(wanted);
        let at = notification.raised_at;
        self.before.is_none_or(|before| notification.id < before)
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until)
            && self.state.is_none_or(|state| any(&|d| d.state == state))
            && (self.contact.as_ref()).is_none_or(|contact| any(&|d| d.contact == *contact))
            && (self.channel.as_ref()).is_none_or(|channel| any(&|d| d.channel == *channel))
            && (self.gateway.as_ref())
                .is_none_or(|gateway| any(&|d| d.gateway.as_ref() == Some(gateway)))
            && (self.target.as_ref()).is_none_or(|target| notification.target() == target)
            && (self.text.as_ref()).is_none_or(|text| notification.mentions(text))
    }
}

/// A page of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogPage {
    /// Notifications with their deliveries, newest first, up to the limit. Fewer, or none, do not
    /// mean that there are no more.
    pub entries: Vec<(Notification, Vec<Delivery>)>,
    /// Start of the next page, to continue [before](LogFilter::before); `None` at the end of the
    /// log.
    pub next: Option<NotificationId>,
}

/// Statistics of recent hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// Number of deliveries in each state.
    pub states: BTreeMap<DeliveryState, u64>,
    /// Number of attempts, by gateway, time and outcome.
    pub outcomes: Vec<OutcomeCount>,
    /// True if there were more than are counted.
    pub cut: bool,
}

impl Recent {
    /// The maximum number of deliveries, and of attempts, that are counted: the newest.
    pub const COUNTED: u32 = 20_000;
}

/// Number of attempts through one gateway with one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCount {
    /// The gateway; `None` for attempts that a crash left without one.
    pub gateway: Option<Slug>,
    /// Start of the period in which the attempts ended.
    pub at: Timestamp,
    /// Outcome.
    pub outcome: AttemptOutcome,
    /// Number of attempts.
    pub count: u64,
}
