//! What the nodes of one store know together.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{Lane, Slug, Timestamp};

/// A gateway that takes nothing in one lane until some time, as a node has found out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClosedLane {
    /// The gateway.
    pub gateway: Slug,
    /// The lane.
    pub lane: Lane,
    /// When it may be tried again.
    pub until: Timestamp,
}

/// What the nodes of one store know together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// How many dispatch from the store, this one included.
    pub count: NonZeroU32,
    /// What the others have found closed.
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
