//! The dispatcher claims due deliveries from the store and hands them to gateways.
//!
//! claim → [`Channel::send`](crate::gateway::Channel::send) → settle. No connection or transaction is held
//! during a call to a gateway. Each lane has its own slots, so that a dead destination delays no
//! others, and the senders of a lane take turns.

mod alarm;
mod gateway_health;
mod in_flight;
mod lane;
mod lease;
mod life;
mod outcome;
mod queue;
mod send;
mod slot;

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::Notify;

pub use gateway_health::{GatewayHealth, GatewayState};

use crate::cache::Cache;
use crate::clock::{Clock, Moment, Monotonic, Timestamp};
use crate::delivery::Lane;
use crate::gateway::Gateways;
use crate::model::WorkerId;
use crate::settings::Settings;
use crate::store::{ServingSlot, Store};
use crate::waiter::Waiters;
pub(crate) use alarm::{AlarmEvent, Alarms, BudgetAlarm, refusal_subject, stopped, subject};
pub(crate) use in_flight::InFlight;
use lane::Lanes;
pub(crate) use lease::LeaseGuard;
use lease::Leases;
pub(crate) use life::Life;
pub(crate) use life::heartbeat::Loop;
pub(crate) use life::start::deadline_after;
pub use life::start::{ShutdownReport, StartError};
use life::watchdog::Watchdog;
use outcome::record::Recorder;
use queue::wall_clock::WallClock;
use send::request::Batches;
pub(crate) use send::request::SendRequest;

/// Time between two polls of the store without a wake-up.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The shared state of an engine and its dispatcher.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    settings: ArcSwap<Settings>,
    pub(crate) cache: Cache,
    pub(crate) waiters: Waiters,
    worker: WorkerId,
    /// The present life, or the last one.
    life: ArcSwapOption<Life>,
    /// The slot of the one life at a time.
    serving_slot: ServingSlot,
    lease: Duration,
    leases: Leases,
    /// The URL below which each notification has its page.
    notification_pages: Option<String>,
    nodes: AtomicU32,
    lanes: Mutex<Lanes>,
    wall_clock: Mutex<WallClock>,
    wake: Notify,
    recorder: Arc<Recorder>,
    /// Set at the first start.
    watchdog: OnceLock<Watchdog>,
    batches: Batches,
    pub(crate) alarms: Alarms,
    polled_at: AtomicI64,
    /// The time of the last poll by the monotonic clock, in milliseconds; `u64::MAX` before the
    /// first one.
    polled: AtomicU64,
    queued: AtomicU64,
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
            serving_slot: ServingSlot::default(),
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
            alarms: Alarms::default(),
            polled_at: AtomicI64::new(i64::MIN),
            polled: AtomicU64::new(u64::MAX),
            queued: AtomicU64::new(0),
        }
    }

    /// Returns the present settings.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Returns the present gateways.
    pub(crate) fn gateways(&self) -> Gateways {
        self.settings.load().gateways.clone()
    }

    /// Replaces the settings. Attempts in progress end with the gateway they began with.
    pub(crate) fn replace_settings(&self, settings: Settings) {
        let gateways = settings.gateways.clone();
        self.settings.store(Arc::new(settings));
        self.lanes().replace_gateways(gateways);
        self.wake();
    }

    /// Sets the URL below which each notification has its page.
    pub(crate) fn with_notification_pages(mut self, url: Option<String>) -> Self {
        self.notification_pages = url;
        self
    }

    /// Polls the queue now.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Returns the present moment. If the clock shows an impossible time, it is taken to have gone
    /// on as it was.
    pub(crate) fn moment(&self) -> Moment {
        let now = Moment::of(&*self.clock);
        if now.wall.checked().is_ok() {
            return now;
        }
        self.wall_clock().extrapolate(now)
    }

    /// Returns the present time by the wall clock.
    fn now(&self) -> Timestamp {
        self.moment().wall
    }

    /// Returns the reason why a delivery in this lane waits, and until when; `None` if a gateway
    /// takes messages.
    pub(crate) fn wait_reason(&self, lane: &Lane) -> Option<String> {
        let now = self.moment();
        let closed = self.lanes().closed_lane(lane, now.monotonic)?;
        Some(closed.describe(now))
    }

    /// Records that deliveries were queued in these lanes.
    pub(crate) fn queued<'a>(&self, lanes: impl IntoIterator<Item = &'a Lane>) {
        let mut count = 0;
        self.wake_for(lanes.into_iter().inspect(|_| count += 1));
        self.queued.fetch_add(count, Ordering::Relaxed);
    }

    /// Polls for deliveries in these lanes that are counted already.
    pub(crate) fn wake_for<'a>(&self, lanes: impl Iterator<Item = &'a Lane>) {
        let mut state = self.lanes();
        let mut is_new = false;
        for lane in lanes {
            is_new |= state.queued(lane);
        }
        drop(state);
        if is_new {
            self.wake();
        }
    }

    /// Hands a leased delivery over, in a separate task.
    ///
    /// * `planned_at` - the directory's version at which its plan was made, if known.
    pub(crate) fn begin(self: &Arc<Self>, in_flight: InFlight, planned_at: Option<u64>) {
        // Without a life, the delivery goes back to the queue.
        if let Some(life) = self.life() {
            life.spawn_hand_over(Arc::clone(self).hand_over(in_flight, planned_at));
        }
    }

    /// Returns the number of nodes that dispatch from the store.
    pub(crate) fn nodes(&self) -> u32 {
        self.nodes.load(Ordering::Relaxed)
    }

    /// Returns the time of the last poll.
    pub(crate) fn polled_at(&self) -> Option<Timestamp> {
        let polled_at = self.polled_at.load(Ordering::Relaxed);
        (polled_at != i64::MIN).then(|| Timestamp::from_millis(polled_at))
    }

    /// Returns the time since the last poll.
    pub(crate) fn idle_for(&self) -> Option<Duration> {
        let polled = self.polled.load(Ordering::Relaxed);
        let polled = (polled != u64::MAX).then(|| Monotonic::from_millis(polled));
        polled.map(|polled| self.clock.monotonic().since(polled))
    }

    /// Returns the approximate number of queued deliveries: those of the last count, and those
    /// queued since.
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
