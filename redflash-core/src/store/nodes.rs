//! The shared knowledge of the nodes of one store.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::delivery::Lane;
use crate::model::Slug;

/// A gateway that a node found closed in one lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClosedLane {
    /// The gateway.
    pub gateway: Slug,
    /// The lane.
    pub lane: Lane,
    /// Time of the next try.
    pub until: Timestamp,
}

/// The shared knowledge of the nodes of one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// Number of nodes that dispatch from the store, including this one.
    pub count: NonZeroU32,
    /// Lanes that the others found closed.
    pub closed: Vec<ClosedLane>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self {
            count: NonZeroU32::MIN,
            closed: Vec::new(),
        }
    }
}
