//! Notifications: the records of raises.

use std::io;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::{NotificationId, Slug, Target};
use crate::plan::Plan;
use crate::template::Arguments;

/// The record of a raise: its plan, time and arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Identifier of the notification.
    pub id: NotificationId,
    /// Time of the raise.
    pub raised_at: Timestamp,
    /// The API key it was raised with; `None` for one raised in-process or by an operator.
    pub raised_by: Option<Slug>,
    /// The decision: the message, and a verdict for each endpoint.
    pub plan: Plan,
    /// The arguments of an event; `None` for a literal message, and if they exceed
    /// [`MAX_ARGUMENTS`](Self::MAX_ARGUMENTS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Arguments>,
}

impl Notification {
    /// The maximum size of stored arguments, in bytes of JSON.
    pub const MAX_ARGUMENTS: usize = 64 * 1024;

    /// Returns the arguments if they are small enough to be stored.
    pub(crate) fn storable(arguments: &Arguments) -> Option<Arguments> {
        let mut limit = Limit(Self::MAX_ARGUMENTS);
        serde_json::to_writer(&mut limit, arguments).ok()?;
        let mut stored = arguments.clone();
        // A client may repeat its key there.
        stored.remove("api_key");
        Some(stored)
    }

    /// Returns the target of the raise.
    pub const fn target(&self) -> &Target {
        &self.plan.target
    }

    /// Returns true if its name, message or recipients contain a text, ignoring the case of ASCII
    /// letters.
    pub fn mentions(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let contains = |field: &str| field.to_ascii_lowercase().contains(&text);
        let plan = &self.plan;
        contains(plan.name.as_str())
            || contains(&plan.target.to_string())
            || contains(&plan.message.subject)
            || contains(&plan.message.body)
            || plan.recipients.iter().any(|recipient| {
                let mut endpoints = recipient.endpoints.iter();
                contains(recipient.contact.as_str())
                    || contains(recipient.name.as_str())
                    || endpoints.any(|endpoint| contains(&endpoint.address.masked()))
            })
    }
}

/// Counts the bytes written, and fails when they exceed the limit.
struct Limit(usize);

impl io::Write for Limit {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_arguments_up_to_64_kib_of_json() {
        // `{"a":"…"}` takes 8 bytes beside the text.
        let of_size = |bytes: usize| {
            let text = "x".repeat(bytes - 8);
            Arguments::from_iter([("a".to_owned(), text.into())])
        };
        let most = of_size(Notification::MAX_ARGUMENTS);
        assert_eq!(Notification::storable(&most), Some(most));
        let more = of_size(Notification::MAX_ARGUMENTS + 1);
        assert_eq!(Notification::storable(&more), None);
    }

    #[test]
    fn stores_no_key_among_arguments() {
        let arguments = serde_json::json!({"host": "db1", "api_key": "canary"});
        let stored = Notification::storable(arguments.as_object().unwrap()).unwrap();
        assert_eq!(
            serde_json::json!(stored),
            serde_json::json!({"host": "db1"})
        );
    }
}
