//! The limit on notifications that browsers follow at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum number of streams at once.
const MAX_STREAMS: usize = 100;

/// The limit on streams that are open at once.
#[derive(Debug)]
pub(crate) struct StreamSlots(Arc<Semaphore>);

/// The slot of one stream, released on drop.
#[derive(Debug)]
pub(crate) struct StreamSlot(#[expect(dead_code, reason = "held until drop")] OwnedSemaphorePermit);

impl Default for StreamSlots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_STREAMS)))
    }
}

impl StreamSlots {
    /// Returns a slot; `None` if all are taken.
    pub(crate) fn acquire(&self) -> Option<StreamSlot> {
        let permit = Arc::clone(&self.0).try_acquire_owned();
        permit.ok().map(StreamSlot)
    }
}
