//! The contexts of the parts that pages are put together from, one struct a part.

use redflash_core::{Target, Timestamp};
use serde::Serialize;

use crate::admin::urls;

/// A link and what it says.
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

/// Nothing to show, and what to do about it: `{{> partials/empty page.empty}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Empty {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) action: Option<Link>,
}

/// One thing that happened: `{{> partials/timeline page.steps}}` takes a list of them.
#[derive(Clone, Serialize)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    /// A delivery state, for the mark and its word.
    pub(crate) state: Option<&'static str>,
    pub(crate) title: String,
    pub(crate) text: Option<String>,
}

/// Who is told, in what words, who not and why: `{{> partials/plan page.plan}}`.
#[derive(Clone, Serialize)]
pub(crate) struct Plan {
    /// Why nobody is told at all.
    pub(crate) refusal: Option<String>,
    /// The line above the text, where the channel has one.
    pub(crate) subject: Option<String>,
    pub(crate) text: String,
    /// Arguments that the templates need and that were not given: `host, percent`.
    pub(crate) missing: String,
    /// Arguments that were given and are of no use.
    pub(crate) unused: String,
    pub(crate) deliveries: Vec<PlannedDelivery>,
    pub(crate) skipped: Vec<SkippedRecipient>,
}

/// Somebody who is told.
#[derive(Clone, Serialize)]
pub(crate) struct PlannedDelivery {
    pub(crate) contact: Link,
    /// The groups through which.
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

/// Somebody, or one endpoint of somebody, who is not.
#[derive(Clone, Serialize)]
pub(crate) struct SkippedRecipient {
    pub(crate) contact: Link,
    /// The endpoint, where it is not the contact as a whole.
    pub(crate) endpoint: Option<String>,
    /// `the contact is switched off`.
    pub(crate) reason: String,
}

/// The page `login`.
#[derive(Clone, Serialize)]
pub(crate) struct Login {
    /// Who tried to log in.
    pub(crate) user: String,
    /// What the form must bring along: it is sent without a session.
    pub(crate) csrf: String,
    /// Where to go afterwards.
    pub(crate) next: String,
    /// What was wrong with the last try.
    pub(crate) error: Option<String>,
    /// The way through a provider of identities.
    pub(crate) oidc: Option<Link>,
    /// Whether there is a user yet.
    pub(crate) nobody: bool,
}

/// The page `error`.
#[derive(Clone, Serialize)]
pub(crate) struct ErrorPage {
    pub(crate) status: u16,
    pub(crate) title: String,
    /// What to do.
    pub(crate) text: String,
    pub(crate) action: Option<Link>,
}
