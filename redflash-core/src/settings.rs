//! The part of an engine's configuration that can change while it runs.

use crate::{Gateways, Slug};

/// The part of an engine's configuration that can change while it runs.
///
/// An engine reads it as one snapshot: a raise or an attempt that has begun goes on with the settings
/// it began with.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The gateways. Those that keep their name keep their queue, breaker and budget.
    pub gateways: Gateways,
    /// The contact that is notified when a gateway has stopped or nearly used up its budget.
    pub alarm_contact: Option<Slug>,
    /// The event that is raised when somebody sends a message back.
    pub inbound_event: Option<Slug>,
}

impl Settings {
    /// Settings with these gateways, without an alarm contact and an inbound event.
    pub fn new(gateways: Gateways) -> Self {
        Self {
            gateways,
            ..Self::default()
        }
    }
}
