//! The health of an engine.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::dispatcher::GatewayHealth;
use crate::engine::Engine;
use crate::model::Slug;

/// The health of an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// True if the dispatcher claims due deliveries, and its last poll was recent.
    pub running: bool,
    /// The problems of the dispatcher, for people.
    #[serde(default)]
    pub problems: Vec<String>,
    /// Time of the last poll of the queue.
    pub last_poll_at: Option<Timestamp>,
    /// Approximate number of queued deliveries.
    pub queued: u64,
    /// Number of nodes that dispatch from the store, as of the last second.
    pub nodes: u32,
    /// The gateways that have messages in flight, or do not take all messages, by lane.
    pub gateways: Vec<GatewayHealth>,
    /// The gateways with an open alarm.
    pub stopped: Vec<Slug>,
}

impl Engine {
    /// Returns the health of the engine.
    pub fn health(&self) -> Health {
        Health {
            running: self.dispatcher.is_healthy(),
            problems: self.dispatcher.problems(),
            last_poll_at: self.dispatcher.polled_at(),
            queued: self.dispatcher.about_queued(),
            nodes: self.dispatcher.nodes(),
            gateways: self.dispatcher.gateway_health(),
            stopped: self.dispatcher.alarms.stopped(),
        }
    }
}
