//! One message to one endpoint: the queue entry, the log entry and the receipt's target in one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    Accepted, Address, Arguments, ChannelKind, DeliveryId, EndpointId, LeaseToken, Message,
    NotificationId, Price, Slug, Target, Timestamp, WorkerId,
};

/// One message to one endpoint. As JSON it also says when it [ended](Self::ended_at).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Delivery {
    /// Names it.
    pub id: DeliveryId,
    /// The notification it belongs to.
    pub notification: NotificationId,
    /// Who is told.
    pub contact: Slug,
    /// The endpoint; it may since have been changed or removed.
    pub endpoint: EndpointId,
    /// The channel.
    pub channel: ChannelKind,
    /// The address at the time of the raise.
    pub address: Address,
    /// The groups through which the contact is told; empty when it is told directly.
    pub via: Vec<Slug>,
    /// The queue it stands in.
    pub lane: Lane,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts were made.
    pub attempts: u32,
    /// When the next attempt is due, or when it ended.
    pub due_at: Timestamp,
    /// When the first attempt began, or that of the last time it was begun anew.
    pub first_attempt_at: Option<Timestamp>,
    /// The gateway of the last attempt.
    pub gateway: Option<Slug>,
    /// That gateway's own id of the message.
    pub message_id: Option<String>,
    /// Into how many parts it was cut, once sent.
    pub parts: Option<u32>,
    /// What it cost, as far as known.
    pub price: Option<Price>,
    /// Why it stands where it stands, for people.
    pub detail: String,
    /// Whether an earlier attempt may have arrived although it was repeated.
    pub may_repeat: bool,
    /// The gateways that it is not handed to again: they cannot reach the address, or did not
    /// confirm in time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_by: Vec<Slug>,
    /// When it goes through another gateway unless a receipt has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_due_at: Option<Timestamp>,
    /// The gateway's ids of those of its parts that are known to have arrived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts_delivered: Vec<String>,
}

impl Serialize for Delivery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct WithEnd<'a> {
            #[serde(flatten)]
            delivery: AsStored<'a>,
            ended_at: Option<Timestamp>,
        }
        struct AsStored<'a>(&'a Delivery);
        impl Serialize for AsStored<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Delivery::serialize(self.0, serializer)
            }
        }
        let with_end = WithEnd {
            delivery: AsStored(self),
            ended_at: self.ended_at(),
        };
        with_end.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Delivery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Delivery {
    /// A delivery that waits for its turn from now on.
    pub const fn new(
        id: DeliveryId,
        contact: Slug,
        endpoint: EndpointId,
        channel: ChannelKind,
        address: Address,
        lane: Lane,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            notification: id.notification(),
            contact,
            endpoint,
            channel,
            address,
            via: Vec::new(),
            lane,
            state: DeliveryState::Queued,
            attempts: 0,
            due_at: now,
            first_attempt_at: None,
            gateway: None,
            message_id: None,
            parts: None,
            price: None,
            detail: String::new(),
            may_repeat: false,
            refused_by: Vec::new(),
            receipt_due_at: None,
            parts_delivered: Vec::new(),
        }
    }

    /// When it ended; `None` while something more is done about it.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.state.is_final().then_some(self.due_at)
    }

    /// Returns true if its last holder vanished without recording an outcome, or was cut off, and nothing
    /// was tried since: it may have gone out.
    pub fn is_unrecorded(&self) -> bool {
        [Attempt::UNRECORDED, Attempt::CUT_OFF].contains(&&*self.detail)
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting for its turn or its next attempt.
    Queued,
    /// Leased to a dispatcher, which is handing it over.
    Sending,
    /// Taken by a gateway.
    Sent,
    /// Known to have arrived.
    Delivered,
    /// Given up.
    Failed,
    /// Stopped by a switch that was turned off after the raise.
    Cancelled,
    /// Not sent, since the budget of its gateways was used up.
    Suppressed,
    /// Set aside until somebody resends it: claimed three times without any outcome, so that it may
    /// be what stops the process, or of unknown outcome at a gateway that is not to repeat.
    Quarantined,
}

impl DeliveryState {
    /// Every state, in the order of a delivery's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Cancelled,
        Self::Suppressed,
        Self::Quarantined,
    ];

    /// The state as text, as in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Suppressed => "suppressed",
            Self::Quarantined => "quarantined",
        }
    }

    /// Whether nothing more is done about it, unless somebody resends it.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending)
    }
}

/// A text that is no delivery state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no delivery state: it is one of queued, sending, sent, delivered, failed, cancelled, suppressed, quarantined"
)]
pub struct DeliveryStateError(String);

impl FromStr for DeliveryState {
    type Err = DeliveryStateError;

    fn from_str(text: &str) -> Result<Self, DeliveryStateError> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == text)
            .ok_or_else(|| DeliveryStateError(text.to_owned()))
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The queue that a delivery stands in: its channel, and the host where hosts fail apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lane(String);

impl Lane {
    /// The lane of a channel, or of one host within it.
    pub fn new(channel: &ChannelKind, host: Option<&str>) -> Self {
        Self(host.map_or_else(|| channel.to_string(), |host| format!("{channel}:{host}")))
    }

    /// A lane read back from a store.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The lane as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host's part of the lane, where hosts fail apart.
    pub fn host(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, host)| host)
    }

    /// The channel's part of the lane.
    pub fn channel(&self) -> &str {
        self.0
            .split_once(':')
            .map_or(&*self.0, |(channel, _)| channel)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The right to hand some deliveries over, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub worker: WorkerId,
    /// The grant, by which later outcomes are told from those of other grants.
    pub token: LeaseToken,
    /// The time of the claim.
    pub now: Timestamp,
    /// When the deliveries return to the queue unless they are settled or their leases renewed.
    pub until: Timestamp,
}

/// A delivery leased to a dispatcher, with all that is needed to hand it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The delivery.
    pub delivery: Delivery,
    /// The lease it was claimed under.
    pub token: LeaseToken,
    /// What it says.
    pub message: Arc<Message>,
    /// What was raised.
    pub target: Target,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Whose turn it uses: the key it was raised with.
    pub raised_by: Option<Slug>,
    /// The event's arguments, as far as they are stored.
    pub arguments: Option<Arc<Arguments>>,
}

/// One hand-over of a delivery to a gateway, as it is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which attempt of its delivery, counted from 1; given by the store when it is logged.
    pub number: u32,
    /// The gateway; `None` when the process ended before it was recorded.
    pub gateway: Option<Slug>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What the gateway said or what went wrong.
    pub detail: String,
    /// Whether an earlier attempt may have arrived: why this one may be a repeat.
    pub may_repeat: bool,
}

impl Disposition {
    /// A gateway took it, and no receipt is waited for.
    pub const fn done(accepted: Accepted) -> Self {
        Self::Done {
            accepted,
            receipt_due_at: None,
        }
    }
}

impl Attempt {
    /// What the log says of an attempt whose outcome was not recorded.
    pub const UNRECORDED: &str = "the process ended before the outcome was recorded";

    /// The detail of an attempt that the end of its dispatcher cut off.
    pub const CUT_OFF: &str = "it was cut off before the gateway answered";

    /// An attempt whose holder vanished: it may have been made, or may not.
    pub fn unrecorded(now: Timestamp) -> Self {
        Self {
            number: 0,
            gateway: None,
            started_at: now,
            ended_at: now,
            outcome: AttemptOutcome::Unknown,
            detail: Self::UNRECORDED.to_owned(),
            may_repeat: false,
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The gateway took the message.
    Ok,
    /// It did not, and may later.
    Retry,
    /// Nobody knows: the message may have gone out.
    Unknown,
    /// It did not, and will not.
    Permanent,
}

impl AttemptOutcome {
    /// The outcome as text, as in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Permanent => "permanent",
        }
    }
}

impl FromStr for AttemptOutcome {
    type Err = AttemptOutcomeError;

    fn from_str(text: &str) -> Result<Self, AttemptOutcomeError> {
        let all = [Self::Ok, Self::Retry, Self::Unknown, Self::Permanent];
        let mut all = all.into_iter();
        all.find(|outcome| outcome.as_str() == text)
            .ok_or(AttemptOutcomeError)
    }
}

/// A text that is no attempt's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt ends ok, retry, unknown or permanent")]
pub struct AttemptOutcomeError;

/// What ends a lease on one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The delivery, as it was leased.
    pub delivery: Delivery,
    /// The lease that it ends.
    pub token: LeaseToken,
    /// The attempt that was made; `None` when none was.
    pub attempt: Option<Attempt>,
    /// What becomes of the delivery.
    pub next: Disposition,
    /// When that was decided: the end of a delivery that ends without an attempt.
    pub at: Timestamp,
}

/// What becomes of a delivery after a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// A gateway took it.
    Done {
        /// What the gateway said.
        accepted: Accepted,
        /// When it goes through another gateway unless a receipt has come.
        receipt_due_at: Option<Timestamp>,
    },
    /// It goes back to the queue, due now, and not to this attempt's gateway again.
    Elsewhere {
        /// Why.
        detail: String,
    },
    /// It goes back to the queue.
    Queue {
        /// When it is due again.
        due_at: Timestamp,
        /// Why it waits.
        detail: String,
    },
    /// It is given up.
    Fail {
        /// Why.
        detail: String,
    },
    /// A switch was turned off.
    Cancel {
        /// Which.
        detail: String,
    },
    /// The budget is used up.
    Suppress {
        /// Which.
        detail: String,
    },
    /// It may have gone out, and is not repeated unless somebody says so.
    Hold {
        /// Why.
        detail: String,
    },
}

/// What became of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was recorded.
    Recorded,
    /// The lease had ended before, and the delivery was queued for a repeat: a success ended it.
    Late,
    /// The lease had passed to another: the attempt is logged, and the other's state stands.
    Lost,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_read_as_they_are_written() {
        for state in DeliveryState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
        }
        assert!("done".parse::<DeliveryState>().is_err());
    }

    #[test]
    fn json_of_a_delivery_says_when_it_ended() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let mut delivery = Delivery::new(
            DeliveryId::new(NotificationId::new(now), 1),
            Slug::parse("ann").unwrap(),
            EndpointId::new(now),
            ChannelKind::sms(),
            Address::new("+447700900123").unwrap(),
            Lane::new(&ChannelKind::sms(), None),
            now,
        );
        let json = serde_json::to_value(&delivery).unwrap();
        assert_eq!(json["ended_at"], serde_json::Value::Null);
        assert_eq!(json["due_at"], 1_700_000_000_000_u64);
        delivery.state = DeliveryState::Failed;
        let json = serde_json::to_value(&delivery).unwrap();
        assert_eq!(json["ended_at"], 1_700_000_000_000_u64);
        assert_eq!(serde_json::from_value::<Delivery>(json).unwrap(), delivery);
    }

    #[test]
    fn a_lane_knows_its_channel() {
        let lane = Lane::new(&ChannelKind::webhook(), Some("[::1]:80"));
        assert_eq!(
            (lane.as_str(), lane.channel()),
            ("webhook:[::1]:80", "webhook")
        );
        assert_eq!(lane.host(), Some("[::1]:80"));
        let lane = Lane::new(&ChannelKind::sms(), None);
        assert_eq!((lane.channel(), lane.host()), ("sms", None));
    }
}
