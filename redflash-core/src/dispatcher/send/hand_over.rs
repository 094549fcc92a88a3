//! One hand-over: a last check of the delivery, its attempt, and its outcome.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::warn;

use crate::delivery::{Disposition, Job};
use crate::dispatcher::Dispatcher;
use crate::dispatcher::in_flight::InFlight;
use crate::plan::cancellation_reason;
use crate::store::StoreError;

impl Dispatcher {
    pub(crate) async fn hand_over(self: Arc<Self>, in_flight: InFlight, planned_at: Option<u64>) {
        let gate = Arc::clone(&in_flight.slot().gate);
        // With the gate closed, nothing was sent, and nothing more may be.
        let Some((pass, waited)) = pass_gate(&gate).await else {
            return;
        };
        let Some(lease) = in_flight.lease() else {
            return;
        };
        let job = in_flight.job();
        if !self.still_holds(&lease, Duration::ZERO).await {
            // The process was suspended, or cut off from the store. Another one owns the delivery.
            warn!(delivery = %job.delivery.id, "the lease ended before the delivery's turn");
            return in_flight.disown();
        }
        let cancelled = match planned_at {
            // Planned a moment ago, by the switches as they were when it was recorded.
            Some(_) if !waited => Ok(None),
            _ => self.cancelled(job, planned_at).await,
        };
        let settlement = match cancelled {
            Ok(None) => self.attempt(job, &lease).await,
            Ok(Some(detail)) => self.settle(job, None, Disposition::Cancel { detail }),
            Err(error) => {
                let due_at = self.now().plus(crate::dispatcher::POLL_INTERVAL);
                let detail = format!("the store did not answer: {}", crate::error_chain(&error));
                self.settle(job, None, Disposition::Queue { due_at, detail })
            }
        };
        drop(pass);
        in_flight.end(settlement);
    }

    /// Returns the reason why the delivery must not be handed over any more, by the present
    /// switches.
    async fn cancelled(
        &self,
        job: &Job,
        planned_at: Option<u64>,
    ) -> Result<Option<String>, StoreError> {
        let version = self.store.recent_version().await?;
        self.cache.forget(version);
        if planned_at == Some(version) {
            return Ok(None);
        }
        let Some(view) = self.cache.view(&*self.store, &job.target).await? else {
            return Ok(Some(format!("{} was removed", job.target)));
        };
        let delivery = &job.delivery;
        Ok(cancellation_reason(
            &view,
            &job.target,
            &delivery.contact,
            delivery.endpoint,
            &delivery.via,
        ))
    }
}

/// Passes a lane's gate; `None` if it is closed. The flag is true if that took any waiting.
async fn pass_gate(gate: &Semaphore) -> Option<(SemaphorePermit<'_>, bool)> {
    if let Ok(pass) = gate.try_acquire() {
        return Some((pass, false));
    }
    Some((gate.acquire().await.ok()?, true))
}
