//! Queries of the log.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{
    Attempt, AttemptOutcome, ChannelKind, Delivery, DeliveryState, Notification, NotificationId,
    Slug, Target, Timestamp,
};

/// A delivery with every attempt that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The attempts, first to last.
    pub attempts_made: Vec<Attempt>,
}

/// Which notifications a log query wants, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    /// Only those with a delivery in this state.
    pub state: Option<DeliveryState>,
    /// Only those with a delivery to this contact.
    pub contact: Option<Slug>,
    /// Only those with a delivery on this channel.
    pub channel: Option<ChannelKind>,
    /// Only those with a delivery that this gateway has, or had last.
    pub gateway: Option<Slug>,
    /// Only those raised at this target.
    pub target: Option<Target>,
    /// Only those with this text in their name, words or recipients, in any case of ASCII letters.
    pub text: Option<String>,
    /// Only those raised at this time or later.
    pub since: Option<Timestamp>,
    /// Only those raised before this time.
    pub until: Option<Timestamp>,
    /// Only those made before this one: the last of the page before.
    pub before: Option<NotificationId>,
    /// At most so many.
    pub limit: NonZeroU32,
}

impl LogFilter {
    /// How many notifications one query looks through for what no index knows: channel, gateway,
    /// target, text, and what most are: sent or delivered.
    pub const LOOKED_THROUGH: u32 = 5_000;

    /// The newest so many, whatever they are.
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

    /// Whether it asks for something that no index knows, or that most have.
    pub fn looks_through(&self) -> bool {
        self.channel.is_some()
            || self.gateway.is_some()
            || self.target.is_some()
            || self.text.is_some()
            || self.state.is_some_and(Self::is_usual)
    }

    /// Whether most deliveries come to stand in a state, so that an index of it would serve nobody.
    pub const fn is_usual(state: DeliveryState) -> bool {
        matches!(state, DeliveryState::Sent | DeliveryState::Delivered)
    }

    /// Whether it lets a notification through, [`limit`](Self::limit) apart.
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
    /// Notifications with their deliveries, newest first: at most as many as were asked for. Fewer, or
    /// none, are no sign that there are no more.
    pub entries: Vec<(Notification, Vec<Delivery>)>,
    /// What to go on [before](LogFilter::before); `None` at the end of the log.
    pub next: Option<NotificationId>,
}

/// How the last hours went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// How many deliveries stand in each state.
    pub states: BTreeMap<DeliveryState, u64>,
    /// What came of attempts, by gateway and time.
    pub outcomes: Vec<OutcomeCount>,
    /// Whether there was more than is counted at most.
    pub cut: bool,
}

impl Recent {
    /// How many deliveries, and how many attempts, are counted at most: the newest.
    pub const COUNTED: u32 = 20_000;
}

/// How often an attempt through one gateway came out in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCount {
    /// The gateway; `None` for attempts that a crash left without one.
    pub gateway: Option<Slug>,
    /// The beginning of the time in which the attempts ended.
    pub at: Timestamp,
    /// What came of them.
    pub outcome: AttemptOutcome,
    /// How many.
    pub count: u64,
}
