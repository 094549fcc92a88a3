//! Helpers for the tests of several SMS gateways.

use redflash_core::conformance::channel::Fixture as _;
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::DeliveryId;
use serde_json::Value;

use crate::vendor::{self, Account};

/// Returns the class of an outcome.
pub(crate) fn class(outcome: &Result<Accepted, SendError>) -> &'static str {
    match outcome {
        Ok(_) => "accepted",
        Err(error) => vendor::class(error),
    }
}

/// Returns the classes of several outcomes.
pub(crate) fn classes(outcomes: &[Result<Accepted, SendError>]) -> Vec<&'static str> {
    outcomes.iter().map(class).collect()
}

/// Returns the gateway's id of each message, empty if there is none.
pub(crate) fn ids(outcomes: &[Result<Accepted, SendError>]) -> Vec<&str> {
    let accepted = outcomes.iter().map(|outcome| outcome.as_ref().ok());
    accepted
        .map(|accepted| accepted.and_then(|accepted| accepted.message_id.as_deref()))
        .map(Option::unwrap_or_default)
        .collect()
}

/// Returns the deliveries of one notification to these numbers.
pub(crate) fn messages(account: &Account, numbers: &[&str]) -> Vec<OutboundMessage> {
    let message = |(index, number): (u32, &&str)| {
        let mut message = account.message("The disk of db1 is full");
        message.to = account.channel().parse_address(number).unwrap();
        message.delivery = DeliveryId::new(message.notification, index);
        message
    };
    (1..).zip(numbers).map(message).collect()
}

/// Returns the invalid key of a table with these values.
pub(crate) fn refused(mut table: Value, changes: &Value) -> Option<String> {
    for (key, value) in changes.as_object().unwrap() {
        table[key] = value.clone();
    }
    vendor::refused(table)
}
