//! The dispatcher: takes what is due from the store and hands it to gateways.
//!
//! claim → [`Channel::send`](crate::Channel::send) → settle. No connection or transaction is held
//! while a gateway is called. Each lane has its own slots, so that one dead destination delays
//! nobody else, and the senders of a lane take turns.

mod alarm;
mod gateway_health;
mod in_flight;
mod lane;
mod lease;
mod life;
mod outcome;
mod queue;
mod send;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{Notify, Semaphore};
use tracing::{error, warn};

pub use gateway_health::{GatewayHealth, GatewayState};

use crate::cache::Cache;
use crate::store::{ClaimRequest, DueQueue, ServingSlot};
use crate::waiter::Waiters;
use crate::{
    Clock, Gateways, Lane, Moment, Monotonic, Settings, Store, StoreError, Timestamp, WorkerId,
};
use alarm::refusing;
pub(crate) use alarm::{Alarms, BudgetAlarm, Trouble, refusal_subject, stopped, subject};
pub(crate) use in_flight::Underway;
use lane::Lanes;
pub(crate) use lease::LeaseGuard;
use lease::Leases;
pub(crate) use life::Life;
pub(crate) use life::heartbeat::Part;
pub(crate) use life::start::after;
pub use life::start::{Leftover, StartError};
use life::watchdog::Watchdog;
use outcome::record::Recorder;
use queue::wall_clock::WallClock;
use send::request::Batches;
pub(crate) use send::request::Sending;

/// How often the store is looked at without being told that something is there.
const POLL: Duration = Duration::from_secs(1);

/// The shared state of an engine and its dispatcher.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    settings: ArcSwap<Settings>,
    pub(crate) cache: Cache,
    pub(crate) waiters: Waiters,
    worker: WorkerId,
    /// The present life, or the last.
    life: ArcSwapOption<Life>,
    /// The place of the one life at a time.
    place: ServingSlot,
    lease: Duration,
    leases: Leases,
    /// The URL to which a notification's id is added to name its page.
    notification_pages: Option<String>,
    nodes: AtomicU32,
    lanes: Mutex<Lanes>,
    wall_clock: Mutex<WallClock>,
    wake: Notify,
    recorder: Arc<Recorder>,
    /// From the first start on.
    watchdog: OnceLock<Watchdog>,
    batches: Batches,
    pub(crate) troubles: Alarms,
    moved_at: AtomicI64,
    /// The same by the monotonic clock, in milliseconds; the largest number before the first look.
    moved: AtomicU64,
    queued: AtomicU64,
}

type Share = (
    Vec<ClaimRequest>,
    HashMap<Lane, Vec<Slot>>,
    Option<Monotonic>,
);

/// One slot of a lane, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    dispatcher: Arc<Dispatcher>,
    lane: Lane,
    gate: Arc<Semaphore>,
}

impl Dispatcher {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        settings: Settings,
        lease: Duration,
    ) -> Self {
        Self {
            worker: WorkerId::new(clock.now()),
            lanes: Mutex::new(Lanes::new(settings.gateways.clone())),
            wall_clock: Mutex::default(),
            store,
            clock,
            settings: ArcSwap::from_pointee(settings),
            life: ArcSwapOption::empty(),
            place: ServingSlot::default(),
            lease,
            leases: Leases::default(),
            notification_pages: None,
            nodes: AtomicU32::new(1),
            cache: Cache::default(),
            waiters: Waiters::default(),
            wake: Notify::new(),
            recorder: Arc::default(),
            watchdog: OnceLock::new(),
            batches: Batches::default(),
            troubles: Alarms::default(),
            moved_at: AtomicI64::new(i64::MIN),
            moved: AtomicU64::new(u64::MAX),
            queued: AtomicU64::new(0),
        }
    }

    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The gateways as they are now.
    pub(crate) fn gateways(&self) -> Gateways {
        self.settings.load().gateways.clone()
    }

    /// Replaces the settings. Attempts under way end with the gateway they began with.
    pub(crate) fn replace_settings(&self, settings: Settings) {
        let gateways = settings.gateways.clone();
        self.settings.store(Arc::new(settings));
        self.lanes().replace_gateways(gateways);
        self.wake();
    }

    /// The dispatcher with pages of notifications below this URL.
    pub(crate) fn with_notification_pages(mut self, url: Option<String>) -> Self {
        self.notification_pages = url;
        self
    }

    /// Looks at the queue now.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// The present moment. A clock that shows no possible time is taken to have gone on as it was.
    pub(crate) fn moment(&self) -> Moment {
        let now = Moment::of(&*self.clock);
        if now.wall.checked().is_ok() {
            return now;
        }
        self.wall_clock().gone_on(now)
    }

    /// The present time by the clock on the wall.
    fn now(&self) -> Timestamp {
        self.moment().wall
    }

    /// Takes a slot for each of these lanes that has room and in which nothing waits.
    pub(crate) fn reserve<'a>(
        self: &Arc<Self>,
        lanes: impl Iterator<Item = &'a Lane>,
    ) -> Vec<Option<Slot>> {
        let now = self.clock.monotonic();
        if !self.is_running() {
            return lanes.map(|_| None).collect();
        }
        let mut state = self.lanes();
        let mut free = HashMap::new();
        lanes
            .map(|lane| {
                let free = free.entry(lane).or_insert_with(|| state.free(lane, now));
                *free = free.checked_sub(1)?;
                state.take(lane, 1);
                Some(self.slot(&mut state, lane))
            })
            .collect()
    }

    /// Returns why a delivery in this lane waits, and until when; `None` if a gateway takes messages.
    pub(crate) fn waits_for(&self, lane: &Lane) -> Option<String> {
        let now = self.moment();
        let closed = self.lanes().closed_lane(lane, now.monotonic)?;
        Some(closed.describe(now))
    }

    fn slot(self: &Arc<Self>, state: &mut Lanes, lane: &Lane) -> Slot {
        Slot {
            gate: state.gate(lane),
            dispatcher: Arc::clone(self),
            lane: lane.clone(),
        }
    }

    /// Something was put into the store's queue of these lanes.
    pub(crate) fn queued<'a>(&self, lanes: impl IntoIterator<Item = &'a Lane>) {
        let mut count = 0;
        self.look_at(lanes.into_iter().inspect(|_| count += 1));
        self.queued.fetch_add(count, Ordering::Relaxed);
    }

    /// Looks at these lanes, in which something waits that was counted before.
    pub(crate) fn look_at<'a>(&self, lanes: impl Iterator<Item = &'a Lane>) {
        let mut state = self.lanes();
        let mut news = false;
        for lane in lanes {
            news |= state.queued(lane);
        }
        drop(state);
        if news {
            self.wake();
        }
    }

    /// Hands a leased delivery over, in a task of its own.
    ///
    /// * `planned_at` - the directory's version at which its plan was made, if that is known.
    pub(crate) fn begin(self: &Arc<Self>, underway: Underway, planned_at: Option<u64>) {
        // Without a life it goes back to the queue.
        if let Some(life) = self.life() {
            life.spawn_hand_over(Arc::clone(self).hand_over(underway, planned_at));
        }
    }

    /// Takes what is due until told to stop.
    async fn run(self: Arc<Self>, life: Arc<Life>) {
        let (mut checked_at, mut swept_at) = (None, None);
        let (stop, pulse) = (life.stop(), life.pulse(Part::Queue));
        while !stop.is_cancelled() {
            // Registered before the store is read, so that no wake-up in between is lost.
            let mut woken = std::pin::pin!(self.wake.notified());
            woken.as_mut().enable();
            let now = self.moment();
            let round = pulse.begin(now.monotonic);
            let pause = match self.turn(now, &mut checked_at, &mut swept_at).await {
                Ok(next) => {
                    round.succeed();
                    next.map_or(POLL, |next| next.since(now.monotonic).min(POLL))
                }
                Err(fault) => {
                    drop(round);
                    let error = crate::error_chain(&fault);
                    error!(error, "the store does not answer the dispatcher");
                    pulse.fail(error);
                    POLL
                }
            };
            if pause.is_zero() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken => {}
                () = self.store.news() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One look at the queue. Returns when to look again, at the latest.
    async fn turn(
        self: &Arc<Self>,
        now: Moment,
        checked_at: &mut Option<Monotonic>,
        swept_at: &mut Option<Monotonic>,
    ) -> Result<Option<Monotonic>, StoreError> {
        self.clock.now().checked()?;
        self.follow_clock(now).await?;
        if checked_at.is_none_or(|at| now.monotonic.since(at) >= POLL) {
            self.requeue_orphans(now).await?;
            self.exchange(now).await?;
            // Neither may keep anything else from being sent.
            if let Err(fault) = self.requeue_unconfirmed(now.wall).await {
                error!(error = %crate::error_chain(&fault), "missing receipts were not looked for");
            }
            if let Err(fault) = self.give_up_overdue(now, swept_at).await {
                error!(error = %crate::error_chain(&fault), "what waited for too long was not given up");
            }
            if let Err(fault) = self.learn_alarms(now.monotonic).await {
                error!(error = %crate::error_chain(&fault), "it is not known which gateways have stopped");
            }
            let backlog = self.store.backlog().await?;
            self.queued.store(backlog.queued, Ordering::Relaxed);
            #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
            metrics::gauge!("redflash_queued").set(backlog.queued as f64);
            *checked_at = Some(now.monotonic);
        }
        self.lanes().look();
        let queues = self.store.due_queues().await?;
        let (wants, mut slots, next) = self.share(&queues, now);
        self.moved_at.store(now.wall.as_millis(), Ordering::Relaxed);
        self.moved
            .store(now.monotonic.as_millis(), Ordering::Relaxed);
        if wants.is_empty() {
            return Ok(next);
        }
        let lease = self.lease(now.wall);
        let jobs = self.store.claim_due(&lease, &wants).await?;
        let found = !jobs.is_empty();
        for job in jobs {
            // No more come than were asked for.
            let slot = slots.get_mut(&job.delivery.lane).and_then(Vec::pop);
            if let Some(slot) = slot {
                let guard = self.guard(job.delivery.id, &lease);
                self.begin(Underway::new(job, slot, guard), None);
            }
        }
        Ok(if found { Some(now.monotonic) } else { next })
    }

    /// Takes back what has lost its holder, once the leases of this process are renewed.
    async fn requeue_orphans(&self, now: Moment) -> Result<(), StoreError> {
        self.renew_leases(now).await;
        // Other nodes renew theirs by the new time first. Where there are none, nothing can be theirs.
        if !self.is_exclusive() && self.was_just_set(now) {
            return Ok(());
        }
        let running = self.leases.running();
        let orphans = self.store.requeue_orphans(now.wall, None, &running).await?;
        self.ended(&orphans);
        Ok(())
    }

    /// Sends through another gateway what was not confirmed in time.
    async fn requeue_unconfirmed(&self, now: Timestamp) -> Result<(), StoreError> {
        /// At most so many at once.
        const SOME: NonZeroU32 = NonZeroU32::new(100).expect("it is more than nothing");
        let gateways = self.gateways();
        if gateways
            .iter()
            .all(|gateway| gateway.receipt_timeout.is_none())
        {
            return Ok(());
        }
        let missing = self.store.requeue_unconfirmed(now, SOME).await?;
        if missing > 0 {
            warn!(
                missing,
                "no receipts came in time; another gateway is tried"
            );
        }
        Ok(())
    }

    /// Learns of which gateways it is known, by any node, that they have stopped or refuse messages.
    async fn learn_alarms(&self, now: Monotonic) -> Result<(), StoreError> {
        let alarms = self.store.alarms().await?;
        self.troubles.know(stopped(&alarms));
        self.troubles.know_refusing(&refusing(&alarms), now);
        Ok(())
    }

    /// Tells the other nodes what this one knows, and learns what they know.
    async fn exchange(&self, now: Moment) -> Result<(), StoreError> {
        let closed = self.lanes().closed(now);
        let nodes = self.store.exchange(self.worker, &closed, now.wall).await?;
        self.nodes.store(nodes.count.get(), Ordering::Relaxed);
        self.lanes().learn(&nodes, now);
        Ok(())
    }

    /// How many nodes dispatch from the store.
    pub(crate) fn nodes(&self) -> u32 {
        self.nodes.load(Ordering::Relaxed)
    }

    /// What to claim, with a slot for each, and when there may be more at the latest.
    fn share(self: &Arc<Self>, queues: &[DueQueue], now: Moment) -> Share {
        let mut state = self.lanes();
        let (wants, next) = state.share(queues, now);
        let mut slots: HashMap<Lane, Vec<Slot>> = HashMap::new();
        for ClaimRequest { queue, limit } in &wants {
            let more = (0..limit.get()).map(|_| self.slot(&mut state, &queue.lane));
            slots.entry(queue.lane.clone()).or_default().extend(more);
        }
        (wants, slots, next)
    }

    /// When it last looked at the queue.
    pub(crate) fn moved_at(&self) -> Option<Timestamp> {
        let moved_at = self.moved_at.load(Ordering::Relaxed);
        (moved_at != i64::MIN).then(|| Timestamp::from_millis(moved_at))
    }

    /// Time since the last look at the queue.
    pub(crate) fn idle_for(&self) -> Option<Duration> {
        let moved = self.moved.load(Ordering::Relaxed);
        let moved = (moved != u64::MAX).then(|| Monotonic::from_millis(moved));
        moved.map(|moved| self.clock.monotonic().since(moved))
    }

    /// About how many deliveries wait: as counted a moment ago, and what came since.
    pub(crate) fn about_queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    pub(crate) fn gateway_health(&self) -> Vec<GatewayHealth> {
        self.lanes().health(self.moment())
    }

    fn wall_clock(&self) -> MutexGuard<'_, WallClock> {
        let wall_clock = self.wall_clock.lock();
        wall_clock.unwrap_or_else(PoisonError::into_inner)
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.dispatcher.lanes().release(&self.lane) {
            self.dispatcher.wake();
        }
    }
}
