//! Large alerts, whose deliveries are recorded in pieces, so that small alerts pass between them.
//!
//! The first piece is recorded with the whole plan, and the alert is answered. The same process
//! then records the rest. If it ends half-way, the dispatcher of any process continues from the
//! plan.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{info, warn};

use super::deliveries::deliveries;
use crate::delivery::{Delivery, Lease};
use crate::dispatcher::{Dispatcher, Life, Loop};
use crate::engine::Engine;
use crate::message::Idempotency;
use crate::model::{NotificationId, Slug};
use crate::plan::Notification;
use crate::store::{Enqueue, EnqueueMore, Enqueued, FanOut, Store, StoreError};

/// Number of deliveries recorded at once.
pub(crate) const PIECE_SIZE: usize = 250;
/// Number of recipients from which the work on a plan would block other alerts.
pub(crate) const MANY_RECIPIENTS: usize = 1000;
/// Time between two checks for stalled alerts.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Runs slow work on a separate thread.
pub(crate) async fn on_blocking_thread<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    let Ok(runtime) = Handle::try_current() else {
        return work.await;
    };
    match spawn_blocking(move || runtime.block_on(work)).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, with all tasks that wait here.
            Err(_) => std::future::pending().await,
        },
    }
}

/// An alert with the first of its deliveries.
pub(crate) struct FirstPiece {
    pub(crate) notification: Notification,
    pub(crate) deliveries: Vec<Delivery>,
    /// Number of deliveries that are recorded later.
    pub(crate) unqueued: usize,
    /// The lease of the deliveries that are leased at birth.
    pub(crate) lease: Lease,
    pub(crate) idempotency: Option<Idempotency>,
    /// The directory's version that the plan was made from.
    pub(crate) planned_at: u64,
}

impl FirstPiece {
    /// Records it, on a separate thread if its plan is long.
    pub(crate) async fn record(
        self: Box<Self>,
        store: Arc<dyn Store>,
    ) -> (Box<Self>, Result<Enqueued, StoreError>) {
        let is_long = self.notification.plan.recipients.len() >= MANY_RECIPIENTS;
        let recorded = async move {
            let order = Enqueue {
                notification: &self.notification,
                deliveries: &self.deliveries,
                unqueued: saturating_count(self.unqueued),
                lease: Some(&self.lease),
                idempotency: self.idempotency.as_ref(),
                planned_at: Some(self.planned_at),
            };
            let enqueued = store.enqueue(&order).await;
            (self, enqueued)
        };
        if is_long {
            on_blocking_thread(recorded).await
        } else {
            recorded.await
        }
    }
}

/// Converts a number of deliveries. No plan has more than can be counted.
fn saturating_count(deliveries: usize) -> u32 {
    u32::try_from(deliveries).unwrap_or(u32::MAX)
}

/// The deliveries of an alert that are not recorded yet: the last ones of its plan.
pub(crate) struct Remainder {
    pub(crate) notification: NotificationId,
    pub(crate) raised_by: Option<Slug>,
    pub(crate) deliveries: Vec<Delivery>,
}

impl Remainder {
    /// Records the deliveries, except for those that another process has recorded meanwhile.
    pub(crate) async fn record(mut self, dispatcher: Arc<Dispatcher>) {
        if let Err(error) = self.record_pieces(&dispatcher).await {
            warn!(
                notification = %self.notification,
                error = %crate::error_chain(&error),
                "could not queue all deliveries of an alert; trying again"
            );
        }
    }

    async fn record_pieces(&mut self, dispatcher: &Dispatcher) -> Result<(), StoreError> {
        let mut unqueued = self.deliveries.len();
        for piece in self.deliveries.chunks_mut(PIECE_SIZE) {
            unqueued -= piece.len();
            for delivery in piece.iter_mut() {
                if let Some(why) = dispatcher.wait_reason(&delivery.lane) {
                    delivery.detail = why;
                }
            }
            let order = EnqueueMore {
                notification: self.notification,
                raised_by: self.raised_by.as_ref(),
                deliveries: piece,
                unqueued: saturating_count(unqueued),
            };
            if !dispatcher.store.enqueue_more(&order).await? {
                return Ok(());
            }
            dispatcher.wake_for(piece.iter().map(|delivery| &delivery.lane));
        }
        Ok(())
    }

    /// Returns the unrecorded deliveries of an alert, from its plan.
    async fn of(dispatcher: &Dispatcher, fan_out: FanOut) -> Result<Option<Self>, StoreError> {
        let id = fan_out.notification;
        let store = Arc::clone(&dispatcher.store);
        let unqueued = fan_out.unqueued as usize;
        on_blocking_thread(async move {
            let Some((notification, _)) = store.notification(id).await? else {
                return Ok(None);
            };
            let mut deliveries = deliveries(&notification);
            let from = deliveries.len().saturating_sub(unqueued);
            Ok(Some(Self {
                notification: id,
                raised_by: notification.raised_by,
                deliveries: deliveries.split_off(from),
            }))
        })
        .await
    }
}

impl Engine {
    /// Records the unrecorded deliveries of an alert: in the background while the dispatcher runs,
    /// and otherwise now, since the program may be about to end.
    pub(crate) async fn record_remainder(&self, remainder: Remainder) {
        if remainder.deliveries.is_empty() {
            return;
        }
        let recorded = Box::pin(remainder.record(Arc::clone(&self.dispatcher)));
        match self.dispatcher.life().filter(|life| life.is_accepting()) {
            Some(life) => life.spawn_hand_over(recorded),
            None => recorded.await,
        }
    }

    /// Resumes stalled alerts, in a loop of its own. The loop does not keep the dispatcher alive.
    pub(crate) fn resume_fan_outs(&self, life: &Arc<Life>) {
        let (weak, kept) = (Arc::downgrade(&self.dispatcher), Arc::clone(life));
        life.supervise(Loop::FanOuts, move || {
            let (weak, life) = (weak.clone(), Arc::clone(&kept));
            async move {
                let mut seen = Vec::new();
                while let Some(dispatcher) = weak.upgrade() {
                    if let Err(error) = resume_stalled(dispatcher, &life, &mut seen).await {
                        let error = crate::error_chain(&error);
                        warn!(error, "could not check for partly queued alerts");
                    }
                    tokio::select! {
                        () = life.stop().cancelled() => return,
                        () = sleep(CHECK_INTERVAL) => {}
                    }
                }
            }
        });
    }
}

/// Resumes the alerts that have made no progress since the last check.
async fn resume_stalled(
    dispatcher: Arc<Dispatcher>,
    life: &Life,
    seen: &mut Vec<FanOut>,
) -> Result<(), StoreError> {
    let round = life
        .heartbeat(Loop::FanOuts)
        .begin(dispatcher.clock.monotonic());
    let unfinished = dispatcher.store.unfinished().await?;
    round.succeed();
    let before = std::mem::replace(seen, unfinished.clone());
    for fan_out in unfinished.into_iter().filter(|one| before.contains(one)) {
        let FanOut {
            notification,
            unqueued,
        } = fan_out;
        info!(%notification, unqueued, "resuming a partly queued alert");
        if let Some(remainder) = Remainder::of(&dispatcher, fan_out).await? {
            remainder.record(Arc::clone(&dispatcher)).await;
        }
    }
    Ok(())
}
