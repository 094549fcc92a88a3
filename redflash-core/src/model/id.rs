//! Ids: 32 lower-case hex digits, ordered by time of creation.
//!
//! A notification's id ends in six zeros. Its deliveries replace them by their position in the
//! plan, so an id names its notification, and the rows of one notification are adjacent.

use std::fmt;
use std::str::FromStr;
use std::sync::{LazyLock, Mutex};

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

use crate::clock::Timestamp;

/// Orders ids of the same millisecond.
static ORDER: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));

/// The bits of an id that number the deliveries of one notification.
const POSITION: u32 = (1 << 24) - 1;

/// Error for a text that is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 lower-case hex digits")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0.simple().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if text.len() != 32 || !text.bytes().all(hex) {
                    return Err(IdError);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| IdError)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

fn ordered(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
    let moment = uuid::Timestamp::from_unix(&*ORDER, millis / 1000, nanos);
    Uuid::new_v7(moment)
}

const fn without_position(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() & !(POSITION as u128))
}

id! {
    /// Identifies a notification.
    NotificationId
}
id! {
    /// Identifies a delivery.
    DeliveryId
}
id! {
    /// Identifies an endpoint for its whole life, even when its address changes.
    EndpointId
}
id! {
    /// Identifies an inbound message.
    InboundId
}
id! {
    /// Identifies an entry of the audit log.
    AuditEntryId
}
id! {
    /// Identifies a running dispatcher, as the holder of leases.
    WorkerId
}

impl NotificationId {
    /// Returns a new id, larger than all earlier ones of this process.
    pub fn new(now: Timestamp) -> Self {
        Self(without_position(ordered(now)))
    }

    /// Returns the lowest possible id of this time: all ids of earlier times are lower, whichever
    /// process made them.
    pub fn first_at(time: Timestamp) -> Self {
        let millis = u64::try_from(time.as_millis()).unwrap_or(0);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
        Self(without_position(id))
    }

    /// Returns the time of creation, to the millisecond.
    pub fn made_at(self) -> Timestamp {
        // The first 48 of its 128 bits.
        let millis = i64::try_from(self.0.as_u128() >> 80);
        Timestamp::from_millis(millis.unwrap_or(i64::MAX))
    }
}

impl DeliveryId {
    /// The maximum number of deliveries of one notification.
    pub const MAX_PER_NOTIFICATION: u32 = POSITION;

    /// Returns the id of a delivery of this notification.
    ///
    /// * `position` - its position in the plan, from 1 to [`MAX_PER_NOTIFICATION`](Self::MAX_PER_NOTIFICATION).
    pub const fn new(notification: NotificationId, position: u32) -> Self {
        let position = (position & POSITION) as u128;
        Self(Uuid::from_u128(
            without_position(notification.0).as_u128() | position,
        ))
    }

    /// Returns the notification it belongs to.
    pub const fn notification(self) -> NotificationId {
        NotificationId(without_position(self.0))
    }

    /// Returns its position in the notification's plan, counted from 1.
    pub const fn place(self) -> u32 {
        let [.., a, b, c] = *self.0.as_bytes();
        u32::from_be_bytes([0, a, b, c])
    }
}

impl EndpointId {
    /// Returns a new id, larger than all earlier ones of this process.
    pub fn new(now: Timestamp) -> Self {
        Self(ordered(now))
    }
}

impl InboundId {
    /// Returns a new id, larger than all earlier ones of this process.
    pub fn new(now: Timestamp) -> Self {
        Self(ordered(now))
    }
}

impl AuditEntryId {
    /// Returns a new id, larger than all earlier ones of this process.
    pub fn new(now: Timestamp) -> Self {
        Self(ordered(now))
    }
}

impl WorkerId {
    /// Returns a new id, larger than all earlier ones of this process.
    pub fn new(now: Timestamp) -> Self {
        Self(ordered(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hex_and_ordered_by_time() {
        let early = NotificationId::new(Timestamp::from_millis(1_700_000_000_000));
        let late = NotificationId::new(Timestamp::from_millis(1_700_000_000_001));
        let later = NotificationId::new(Timestamp::from_millis(1_700_000_000_001));
        assert!(late < later);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        let first = |millis| NotificationId::first_at(Timestamp::from_millis(millis));
        assert!(first(1_700_000_000_000) <= early && early < first(1_700_000_000_001));
        assert!(first(1_700_000_000_001) <= late && first(-1) == first(0));
        assert_eq!(late.made_at(), Timestamp::from_millis(1_700_000_000_001));
    }

    #[test]
    fn delivery_id_contains_its_notification_and_position() {
        let notification = NotificationId::new(Timestamp::from_millis(1_700_000_000_000));
        assert!(notification.to_string().ends_with("000000"));
        for position in [1, 2, DeliveryId::MAX_PER_NOTIFICATION] {
            let delivery = DeliveryId::new(notification, position);
            assert_eq!(delivery.notification(), notification);
            assert_eq!(delivery.place(), position);
        }
        let second = DeliveryId::new(notification, 2).to_string();
        assert_eq!(second, format!("{}000002", &notification.to_string()[..26]));
    }

    #[test]
    fn rejects_other_spellings() {
        let id = NotificationId::new(Timestamp::from_millis(0)).to_string();
        for bad in [
            String::new(),
            format!("{{{id}}}"),
            format!("{id}0"),
            "G".repeat(32),
            "A".repeat(32),
        ] {
            assert_eq!(bad.parse::<NotificationId>(), Err(IdError), "{bad}");
        }
    }
}
