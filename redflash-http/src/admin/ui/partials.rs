//! Contexts of the partials, one struct each.

use redflash_core::clock::Timestamp;
use redflash_core::model::Target;
use serde::Serialize;

use crate::admin::urls;

/// A link with its label.
#[derive(Clone, Serialize)]
pub(crate) struct Link {
    pub(crate) url: String,
    pub(crate) label: String,
}

impl Link {
    /// Returns a link to the page of a target.
    pub(crate) fn target(target: &Target) -> Self {
        Self {
            url: urls::target(target),
            label: target.to_string(),
        }
    }
}

/// The text of an empty list, with the next step: `{{> partials/empty page.empty}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Empty {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) action: Option<Link>,
}

/// A step of a timeline: `{{> partials/timeline page.steps}}` takes a list of them.
#[derive(Clone, Serialize)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    /// A delivery state, for the badge.
    pub(crate) state: Option<&'static str>,
    pub(crate) title: String,
    pub(crate) text: Option<String>,
}

/// The message of an alert, its recipients, and skipped ones: `{{> partials/plan page.plan}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Plan {
    /// Reason why the alert is refused.
    pub(crate) refusal: Option<String>,
    /// The subject, for channels that have one.
    pub(crate) subject: Option<String>,
    pub(crate) text: String,
    /// Missing arguments of the templates, such as `host, percent`.
    pub(crate) missing: String,
    /// Given arguments that the templates do not use.
    pub(crate) unused: String,
    pub(crate) deliveries: Vec<PlannedDelivery>,
    pub(crate) skipped: Vec<SkippedRecipient>,
}

/// A planned message to one endpoint.
#[derive(Clone, Serialize)]
pub(crate) struct PlannedDelivery {
    pub(crate) contact: Link,
    /// The groups that include the contact.
    pub(crate) via: Vec<String>,
    pub(crate) channel: String,
    pub(crate) address: String,
    /// The obstacle that delays the message; `None` without one, and for past messages.
    pub(crate) obstacle: Option<Obstacle>,
}

/// An obstacle that delays a planned message.
#[derive(Clone, Serialize)]
pub(crate) struct Obstacle {
    pub(crate) gateway: Link,
    pub(crate) reason: String,
    pub(crate) next_try_at: Option<Timestamp>,
    pub(crate) suppresses: bool,
}

/// A contact or an endpoint that gets no message.
#[derive(Clone, Serialize)]
pub(crate) struct SkippedRecipient {
    pub(crate) contact: Link,
    /// The endpoint, unless the whole contact is skipped.
    pub(crate) endpoint: Option<String>,
    /// The reason, such as `the contact is switched off`.
    pub(crate) reason: String,
}

/// The page `login`.
#[derive(Clone, Serialize)]
pub(crate) struct Login {
    /// User name of the last attempt.
    pub(crate) user: String,
    /// Token of the form, which is sent without a session.
    pub(crate) csrf: String,
    /// URL to open after login.
    pub(crate) next: String,
    /// Error of the last attempt.
    pub(crate) error: Option<String>,
    /// Link to the OpenID provider.
    pub(crate) oidc: Option<Link>,
    /// True if there is no user yet.
    pub(crate) nobody: bool,
}

/// The page `error`.
#[derive(Clone, Serialize)]
pub(crate) struct ErrorPage {
    pub(crate) status: u16,
    pub(crate) title: String,
    /// Explanation, with the next step.
    pub(crate) text: String,
    pub(crate) action: Option<Link>,
}
