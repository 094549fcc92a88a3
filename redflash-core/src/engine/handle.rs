//! The start of an engine, and its shutdown.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::dispatcher::{Dispatcher, Life, ShutdownReport, StartError, deadline_after};
use crate::engine::Engine;

/// A started dispatcher. Dropping it ends the dispatcher without waiting: requests to gateways are
/// cut off, and another engine can be started on the store as soon as the drop returns.
#[derive(Debug)]
#[must_use = "dropping the handle stops the dispatcher"]
pub struct DispatcherHandle {
    dispatcher: Arc<Dispatcher>,
    life: Arc<Life>,
}

impl Engine {
    /// Starts sending, on the present Tokio runtime. Raises are recorded and handed over on that
    /// runtime too, wherever they are called, so that one whose future is dropped is finished all
    /// the same.
    ///
    /// An engine that has ended can be started again, on this runtime or another.
    ///
    /// # Errors
    ///
    /// [`StartError::Runtime`] without a runtime that has timers and I/O,
    /// [`StartError::AlreadyRunning`] while this engine runs, or while another one dispatches from
    /// a store that allows only one, and [`StartError::Store`] when the deliveries of a predecessor
    /// cannot be taken back, or when the clock shows a time that cannot be stored.
    pub async fn start(&self) -> Result<DispatcherHandle, StartError> {
        let life = self.dispatcher.start().await?;
        self.send_alarms(&life);
        self.resume_fan_outs(&life);
        let dispatcher = Arc::clone(&self.dispatcher);
        Ok(DispatcherHandle { dispatcher, life })
    }
}

impl DispatcherHandle {
    /// Stops claiming from the queue, and waits at most `grace` for deliveries in flight. Those
    /// that remain are cut off, and recorded as possibly sent. Returns within 100 ms after the
    /// grace, whatever hangs, with a report of what was left.
    pub async fn shutdown(self, grace: Duration) -> ShutdownReport {
        self.dispatcher.end(&self.life, grace).await
    }

    /// Sends what is due, including what is raised meanwhile, until nothing is due and nothing is
    /// in flight, for at most `limit`; then shuts down without further grace. Deliveries that wait
    /// for a later attempt stay in the queue.
    pub async fn drain(self, limit: Duration) -> ShutdownReport {
        let deadline = deadline_after(limit);
        self.dispatcher.drain(&self.life, deadline).await;
        let grace = deadline.saturating_duration_since(Instant::now());
        self.dispatcher.end(&self.life, grace).await
    }
}

impl Drop for DispatcherHandle {
    fn drop(&mut self) {
        self.dispatcher.abandon(&self.life);
    }
}
