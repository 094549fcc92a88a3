//! The gate of a lane.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Limit on the deliveries of a lane that are in flight.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) permits: Arc<Semaphore>,
    width: usize,
}

impl Gate {
    pub(super) fn new(width: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(width)),
            width,
        }
    }

    /// Changes the width. A narrower gate takes effect as far as permits are free; those in use are
    /// taken back later.
    pub(super) fn resize(&mut self, width: usize) {
        if let Some(more) = width.checked_sub(self.width) {
            self.permits.add_permits(more);
            self.width = width;
        } else {
            self.width -= self.permits.forget_permits(self.width - width);
        }
    }
}
