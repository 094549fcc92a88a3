//! Waiting for the outcome of a notification.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::clock::Timestamp;
use crate::delivery::{Delivery, DeliveryState};
use crate::engine::Engine;
use crate::model::NotificationId;
use crate::store::{DeliveryRecord, StoreError};

/// Time after which a waiter polls the store, in case another process sends its deliveries.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

impl Engine {
    /// Waits until each delivery of a notification has had an attempt or has ended, or until the
    /// time is up. Returns the deliveries in their state at that time. If the engine is not
    /// started, the call needs a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when the notification does not exist, [`StoreError::Unavailable`]
    /// without a runtime, others when the store fails.
    pub async fn wait(
        &self,
        id: NotificationId,
        limit: Duration,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let Some(life) = self.dispatcher.life().filter(|life| life.is_accepting()) else {
            if Handle::try_current().is_err() {
                let why = "waiting needs a started engine or a Tokio runtime";
                return Err(StoreError::Unavailable(why.into()));
            }
            return self.wait_here(id, limit).await;
        };
        let (mut answer, answered) = oneshot::channel();
        let engine = self.clone();
        life.spawn_detached(async move {
            tokio::select! {
                records = engine.wait_here(id, limit) => {
                    // The caller may be gone.
                    let _ = answer.send(records);
                }
                () = answer.closed() => {}
            }
        });
        let runtime_gone = |_| StoreError::Unavailable("the engine's runtime has ended".into());
        answered.await.map_err(runtime_gone)?
    }

    async fn wait_here(
        &self,
        id: NotificationId,
        limit: Duration,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let waiter = self.dispatcher.waiters.wait(id);
        let attempted = async {
            loop {
                let mut settled = std::pin::pin!(waiter.notify.notified());
                settled.as_mut().enable();
                let (records, all) = self.records(id).await?;
                let now = self.now();
                let mut made = records.iter();
                if records.len() >= all && made.all(|record| attempted(&record.delivery, now)) {
                    return Ok(records);
                }
                let _ = timeout(POLL_INTERVAL, settled).await;
            }
        };
        match timeout(limit, attempted).await {
            Ok(records) => records,
            Err(_) => Ok(self.records(id).await?.0),
        }
    }

    /// Returns the recorded deliveries of a notification, and the number that there will be.
    async fn records(
        &self,
        id: NotificationId,
    ) -> Result<(Vec<DeliveryRecord>, usize), StoreError> {
        let found = self.dispatcher.store.notification(id).await?;
        let missing = || StoreError::Missing {
            what: format!("notification {id}"),
        };
        let (notification, records) = found.ok_or_else(missing)?;
        Ok((records, notification.plan.queued()))
    }
}

/// Returns true if nothing more is about to happen.
fn attempted(delivery: &Delivery, now: Timestamp) -> bool {
    match delivery.state {
        DeliveryState::Sending => false,
        DeliveryState::Queued => delivery.attempts > 0 && delivery.due_at > now,
        _ => true,
    }
}
