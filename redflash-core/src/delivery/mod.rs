//! Deliveries: queue entry, log entry and target of receipts in one.

mod attempt;
mod job;
mod lane;
mod lease;
mod message_id;
mod receipt;
mod retry;
mod settlement;
mod state;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use attempt::{Attempt, AttemptOutcome, AttemptOutcomeError};
pub use job::Job;
pub use lane::Lane;
pub use lease::{HeldLease, Lease, LeaseGrant, LeaseToken};
pub use receipt::{Receipt, ReceiptState};
pub use retry::RetrySchedule;
pub use settlement::{Disposition, Settled, Settlement};
pub use state::{DeliveryState, DeliveryStateError};

use crate::clock::Timestamp;
use crate::message::Price;
use crate::model::{Address, ChannelKind, DeliveryId, EndpointId, NotificationId, Slug};

/// One message to one endpoint. The JSON also has the time when it [ended](Self::ended_at).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Delivery {
    /// Identifier of the delivery.
    pub id: DeliveryId,
    /// The notification it belongs to.
    pub notification: NotificationId,
    /// Recipient.
    pub contact: Slug,
    /// The endpoint; it may have been changed or removed since.
    pub endpoint: EndpointId,
    /// The channel.
    pub channel: ChannelKind,
    /// The address at the time of the raise.
    pub address: Address,
    /// Groups that the contact is notified through; empty if it is notified directly.
    pub via: Vec<Slug>,
    /// The lane it is queued in.
    pub lane: Lane,
    /// State of the delivery.
    pub state: DeliveryState,
    /// Number of attempts.
    pub attempts: u32,
    /// Time when the next attempt is due, or when the delivery ended.
    pub due_at: Timestamp,
    /// Start of the first attempt, counted from the last resend.
    pub first_attempt_at: Option<Timestamp>,
    /// Gateway of the last attempt.
    pub gateway: Option<Slug>,
    /// That gateway's id of the message.
    pub message_id: Option<String>,
    /// Number of parts it was split into, once sent.
    pub parts: Option<u32>,
    /// Price, if known.
    pub price: Option<Price>,
    /// Reason for its state, for people.
    pub detail: String,
    /// True if an earlier attempt may have arrived although it was repeated.
    pub may_repeat: bool,
    /// Gateways that do not get it again: they cannot reach the address, or did not confirm in
    /// time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_by: Vec<Slug>,
    /// Time when it goes through another gateway unless a receipt arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_due_at: Option<Timestamp>,
    /// The gateway's ids of the parts that have arrived.
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
    /// Creates a queued delivery that is due now.
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

    /// Returns the time when it ended; `None` while it is queued or being sent.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.state.is_final().then_some(self.due_at)
    }

    /// Returns true if its last holder vanished without recording an outcome, or was cut off, and
    /// nothing was tried since: it may have gone out.
    pub fn is_unrecorded(&self) -> bool {
        [Attempt::UNRECORDED, Attempt::CUT_OFF].contains(&&*self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_end_of_a_delivery() {
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
}
