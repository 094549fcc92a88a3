//! The loop that polls the store's queue: it claims due deliveries and takes orphans back.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{error, warn};

use crate::clock::{Moment, Monotonic, Timestamp};
use crate::delivery::Lane;
use crate::dispatcher::alarm::{refusing, stopped};
use crate::dispatcher::in_flight::InFlight;
use crate::dispatcher::life::Life;
use crate::dispatcher::life::heartbeat::Loop;
use crate::dispatcher::slot::Slot;
use crate::dispatcher::{Dispatcher, POLL_INTERVAL};
use crate::store::{ClaimRequest, DueQueue, StoreError};

type Claims = (
    Vec<ClaimRequest>,
    HashMap<Lane, Vec<Slot>>,
    Option<Monotonic>,
);

impl Dispatcher {
    /// Claims due deliveries until the life is stopped.
    pub(crate) async fn run(self: Arc<Self>, life: Arc<Life>) {
        let (mut checked_at, mut swept_at) = (None, None);
        let (stop, heartbeat) = (life.stop(), life.heartbeat(Loop::Queue));
        while !stop.is_cancelled() {
            // Registered before the store is read, so that no wake-up in between is lost.
            let mut woken = std::pin::pin!(self.wake.notified());
            woken.as_mut().enable();
            let now = self.moment();
            let round = heartbeat.begin(now.monotonic);
            let pause = match self.poll(now, &mut checked_at, &mut swept_at).await {
                Ok(next) => {
                    round.succeed();
                    next.map_or(POLL_INTERVAL, |next| {
                        next.since(now.monotonic).min(POLL_INTERVAL)
                    })
                }
                Err(error) => {
                    drop(round);
                    let error = crate::error_chain(&error);
                    error!(error, "could not poll the queue");
                    heartbeat.fail(error);
                    POLL_INTERVAL
                }
            };
            if pause.is_zero() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken => {}
                () = self.store.wait_for_work() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Polls the queue once. Returns the latest time of the next poll.
    async fn poll(
        self: &Arc<Self>,
        now: Moment,
        checked_at: &mut Option<Monotonic>,
        swept_at: &mut Option<Monotonic>,
    ) -> Result<Option<Monotonic>, StoreError> {
        self.clock.now().checked()?;
        self.follow_clock(now).await?;
        if checked_at.is_none_or(|at| now.monotonic.since(at) >= POLL_INTERVAL) {
            self.requeue_orphans(now).await?;
            self.exchange(now).await?;
            // None of these may keep other deliveries from being sent.
            if let Err(error) = self.requeue_unconfirmed(now.wall).await {
                error!(error = %crate::error_chain(&error), "could not check for missing receipts");
            }
            if let Err(error) = self.give_up_overdue(now, swept_at).await {
                error!(error = %crate::error_chain(&error), "could not give up overdue deliveries");
            }
            if let Err(error) = self.learn_alarms(now.monotonic).await {
                error!(error = %crate::error_chain(&error), "could not read the open alarms");
            }
            let backlog = self.store.backlog().await?;
            self.queued.store(backlog.queued, Ordering::Relaxed);
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!("redflash_queued").set(backlog.queued as f64);
            *checked_at = Some(now.monotonic);
        }
        self.lanes().begin_poll();
        let queues = self.store.due_queues().await?;
        let (claims, mut slots, next) = self.share(&queues, now);
        self.polled_at
            .store(now.wall.as_millis(), Ordering::Relaxed);
        self.polled
            .store(now.monotonic.as_millis(), Ordering::Relaxed);
        if claims.is_empty() {
            return Ok(next);
        }
        let lease = self.lease(now.wall);
        let jobs = self.store.claim_due(&lease, &claims).await?;
        let found = !jobs.is_empty();
        for job in jobs {
            // The store returns no more than were asked for.
            let slot = slots.get_mut(&job.delivery.lane).and_then(Vec::pop);
            if let Some(slot) = slot {
                let guard = self.guard(job.delivery.id, &lease);
                self.begin(InFlight::new(job, slot, guard), None);
            }
        }
        Ok(if found { Some(now.monotonic) } else { next })
    }

    /// Takes orphaned deliveries back, once the leases of this process are renewed.
    async fn requeue_orphans(&self, now: Moment) -> Result<(), StoreError> {
        self.renew_leases(now).await;
        // Other nodes renew theirs by the new time first. Without other nodes, no lease is theirs.
        if !self.is_exclusive() && self.was_just_set(now) {
            return Ok(());
        }
        let running = self.leases.running();
        let orphans = self.store.requeue_orphans(now.wall, None, &running).await?;
        self.count_ended(&orphans);
        Ok(())
    }

    /// Sends unconfirmed deliveries through another gateway.
    async fn requeue_unconfirmed(&self, now: Timestamp) -> Result<(), StoreError> {
        /// Maximum number at once.
        const BATCH_SIZE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
        let gateways = self.gateways();
        if gateways
            .iter()
            .all(|gateway| gateway.receipt_timeout.is_none())
        {
            return Ok(());
        }
        let missing = self.store.requeue_unconfirmed(now, BATCH_SIZE).await?;
        if missing > 0 {
            warn!(missing, "receipts are overdue; trying another gateway");
        }
        Ok(())
    }

    /// Learns from the store which gateways have open alarms, whichever node raised them.
    async fn learn_alarms(&self, now: Monotonic) -> Result<(), StoreError> {
        let alarms = self.store.alarms().await?;
        self.alarms.set_stopped(stopped(&alarms));
        self.alarms.set_refusing(&refusing(&alarms), now);
        Ok(())
    }

    /// Exchanges findings about gateways with the other nodes.
    async fn exchange(&self, now: Moment) -> Result<(), StoreError> {
        let closed = self.lanes().closed(now);
        let nodes = self.store.exchange(self.worker, &closed, now.wall).await?;
        self.nodes.store(nodes.count.get(), Ordering::Relaxed);
        self.lanes().learn(&nodes, now);
        Ok(())
    }

    /// Returns the claims to make, a slot for each, and the latest time of the next poll.
    fn share(self: &Arc<Self>, queues: &[DueQueue], now: Moment) -> Claims {
        let mut state = self.lanes();
        let (claims, next) = state.share(queues, now);
        let mut slots: HashMap<Lane, Vec<Slot>> = HashMap::new();
        for ClaimRequest { queue, limit } in &claims {
            let more = (0..limit.get()).map(|_| self.slot(&mut state, &queue.lane));
            slots.entry(queue.lane.clone()).or_default().extend(more);
        }
        (claims, slots, next)
    }
}
