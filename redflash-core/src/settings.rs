//! The settings of an engine that can change while it runs.

use crate::gateway::Gateways;
use crate::model::Slug;

/// The settings of an engine that can change while it runs.
///
/// An engine reads them as one snapshot: a raise or an attempt that has begun continues with the
/// settings it began with.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// Gateways. Those that keep their name keep their queue, breaker and budget.
    pub gateways: Gateways,
    /// Contact to notify when a gateway has stopped or nearly used up its budget.
    pub alarm_contact: Option<Slug>,
    /// Event to raise when a person sends a message back.
    pub inbound_event: Option<Slug>,
}

impl Settings {
    /// Creates settings with these gateways, without an alarm contact or an inbound event.
    pub fn new(gateways: Gateways) -> Self {
        Self {
            gateways,
            ..Self::default()
        }
    }
}
