//! The state of an engine.

use serde::{Deserialize, Serialize};

use crate::dispatcher::GatewayHealth;
use crate::engine::Engine;
use crate::{Slug, Timestamp};

/// The state of an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// True if the dispatcher takes what is due, and has looked for it lately.
    pub running: bool,
    /// The reasons why it does not run, or not as it should, in words.
    #[serde(default)]
    pub problems: Vec<String>,
    /// When it last looked at the queue.
    pub moved_at: Option<Timestamp>,
    /// About how many deliveries wait.
    pub queued: u64,
    /// Number of nodes that dispatch from the store, as was known a second ago.
    pub nodes: u32,
    /// The gateways that have something under way, or do not take everything, by lane.
    pub gateways: Vec<GatewayHealth>,
    /// The gateways of which an alarm was given that is not over.
    pub stopped: Vec<Slug>,
}

impl Engine {
    /// The state of the engine.
    pub fn health(&self) -> Health {
        Health {
            running: self.dispatcher.is_healthy(),
            problems: self.dispatcher.problems(),
            moved_at: self.dispatcher.polled_at(),
            queued: self.dispatcher.about_queued(),
            nodes: self.dispatcher.nodes(),
            gateways: self.dispatcher.gateway_health(),
            stopped: self.dispatcher.alarms.stopped(),
        }
    }
}
