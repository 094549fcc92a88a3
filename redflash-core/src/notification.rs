//! What one raise made.

use serde::{Deserialize, Serialize};

use crate::{NotificationId, Plan, Slug, Target, Timestamp};

/// What one raise made: who asked for what, when, and what was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Names it.
    pub id: NotificationId,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// The key it was raised with; `None` for one raised in-process or by an operator.
    pub raised_by: Option<Slug>,
    /// The decision: who is told what through which channel, who is not, and why.
    pub plan: Plan,
}

impl Notification {
    /// What it was raised at.
    pub const fn target(&self) -> &Target {
        &self.plan.target
    }

    /// Whether its name, words or recipients hold a text, in any case of ASCII letters.
    pub fn mentions(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let holds = |place: &str| place.to_ascii_lowercase().contains(&text);
        let plan = &self.plan;
        holds(plan.name.as_str())
            || holds(&plan.target.to_string())
            || holds(&plan.message.subject)
            || holds(&plan.message.body)
            || plan.recipients.iter().any(|recipient| {
                let mut endpoints = recipient.endpoints.iter();
                holds(recipient.contact.as_str())
                    || holds(recipient.name.as_str())
                    || endpoints.any(|endpoint| holds(endpoint.address.as_str()))
            })
    }
}

/// A caller's promise that two requests are the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key, at most [`MAX_KEY`](Self::MAX_KEY) characters, unique within an API key.
    pub key: String,
    /// A digest of the request, by which another request under the same key is found out.
    pub digest: String,
}

impl Idempotency {
    /// The longest key, in characters.
    pub const MAX_KEY: usize = 255;
    /// How long a key is remembered.
    pub const KEPT: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
}
