//! The start of the dispatcher, and its shutdown.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::clock::Timestamp;
use crate::dispatcher::Dispatcher;
use crate::dispatcher::life::Life;
use crate::dispatcher::life::deadline::wait_out;
use crate::dispatcher::life::heartbeat::{Loop, MAX_SILENCE};
use crate::dispatcher::life::watchdog::Watchdog;
use crate::model::WorkerId;
use crate::panicked::{caught, caught_now};
use crate::store::{Store, StoreError};

/// Time for the store to count what is left, once everything has ended.
const COUNT_TIMEOUT: Duration = Duration::from_millis(15);

/// Reason why an engine was not started. Nothing was taken from the queue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store allows only one engine to dispatch, and another one does; or this one was started
    /// before and has not ended.
    #[error("{by} already dispatches from this store: stop it first")]
    AlreadyRunning {
        /// The engine that dispatches, as `this engine` or `process 4711`.
        by: String,
    },
    /// There is no Tokio runtime here, or one that lacks timers or I/O.
    #[error("the engine cannot run here: {0}")]
    Runtime(&'static str),
    /// The store failed, or the deliveries of a predecessor could not be taken back.
    #[error("the engine cannot start")]
    Store(#[from] StoreError),
}

/// The work that was left when an engine had to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Raises and polls that the store has not answered. What they record is sent after the next
    /// start.
    pub waiting_for_store: usize,
    /// Deliveries without a recorded outcome: they were cut off, or their channel blocks its
    /// thread. After the next start they are sent again or set aside, as their gateways are
    /// configured.
    pub sending: usize,
    /// Known outcomes that were not recorded. They are recorded as soon as the store answers, if
    /// the program lives that long.
    pub unrecorded: usize,
    /// Approximate number of deliveries that wait in the queue.
    pub queued: u64,
}

impl ShutdownReport {
    /// Returns true if everything that was begun has ended and is recorded.
    pub const fn is_clean(&self) -> bool {
        self.waiting_for_store == 0 && self.sending == 0 && self.unrecorded == 0
    }
}

impl Dispatcher {
    /// Returns the present life, or the last one.
    pub(crate) fn life(&self) -> Option<Arc<Life>> {
        self.life.load_full()
    }

    /// Returns true if it claims due deliveries, and has not been stopped.
    pub(crate) fn is_running(&self) -> bool {
        self.life
            .load()
            .as_ref()
            .is_some_and(|life| life.is_accepting())
    }

    /// Returns true if nobody else can dispatch from the store.
    pub(crate) fn is_exclusive(&self) -> bool {
        let life = self.life.load();
        life.as_ref().is_some_and(|life| life.is_exclusive())
    }

    /// Returns the watchdog for channels that block their thread. Its calls may outlive a life.
    pub(crate) fn watchdog(&self) -> &Watchdog {
        self.watchdog.get_or_init(Watchdog::start)
    }

    /// Takes back the deliveries of a predecessor, and starts on the present runtime.
    pub(crate) async fn start(self: &Arc<Self>) -> Result<Arc<Life>, StartError> {
        let runtime = usable_runtime()?;
        let start_error = |error| match error {
            StoreError::Served { by } => StartError::AlreadyRunning { by },
            error => StartError::Store(error),
        };
        let by = "this engine".to_owned();
        let slot = self.serving_slot.take();
        let slot = slot.map_err(|_| StartError::AlreadyRunning { by })?;
        let serving = self.store.serve(self.worker).map_err(start_error)?;
        let life = Arc::new(Life::new(runtime, slot, serving));
        let recovered = caught(self.recover(&life)).await;
        let panicked = |panicked: crate::panicked::Panicked| {
            StoreError::Backend(format!("the store {panicked}").into())
        };
        if let Err(error) = recovered.map_err(panicked).flatten() {
            life.abandon();
            return Err(error.into());
        }
        self.lanes().open();
        self.life.store(Some(Arc::clone(&life)));
        let (dispatcher, kept) = (Arc::clone(self), Arc::clone(&life));
        life.supervise(Loop::Queue, move || {
            Arc::clone(&dispatcher).run(Arc::clone(&kept))
        });
        self.spawn_recorder(&life);
        self.spawn_lease_renewal(&life);
        life.spawn_runtime_heartbeat();
        Ok(life)
    }

    async fn recover(&self, life: &Life) -> Result<(), StoreError> {
        let now = self.clock.now().checked()?;
        self.store.join(self.worker).await?;
        // If no other engine dispatches, every lease that is not in flight here is taken back. That
        // includes one that this engine was granted as its last runtime ended, and that no guard
        // holds.
        let except = life.is_exclusive().then(|| WorkerId::new(now));
        let running = self.leases.running();
        let orphans = self.store.requeue_orphans(now, except, &running).await?;
        if !orphans.is_empty() {
            self.lanes().lease_nothing_ahead(self.clock.monotonic());
            warn!(
                orphans = orphans.len(),
                "took back deliveries whose outcome was not recorded; they may arrive twice"
            );
        }
        self.count_ended(&orphans);
        self.follow_clock(self.moment()).await?;
        self.bring_forward(now).await
    }

    /// Stops claiming. Deliveries that wait for their turn go back to the queue.
    fn close(&self, life: &Arc<Life>) {
        life.close();
        if self.is_present(life) {
            self.lanes().close();
        }
    }

    /// Ends a life, waiting at most `grace` for what is in flight.
    pub(crate) async fn end(&self, life: &Arc<Life>, grace: Duration) -> ShutdownReport {
        self.close(life);
        let deadline = deadline_after(grace);
        life.end(deadline).await;
        let unrecorded = self.recorder.len();
        let sending = self.leases.running().len().saturating_sub(unrecorded);
        let report = ShutdownReport {
            waiting_for_store: life.pending(),
            sending,
            unrecorded,
            queued: self.count_queued(life, deadline).await,
        };
        if !report.is_clean() {
            warn!(?report, "shut down with unfinished work");
        }
        report
    }

    /// Returns the number of queued deliveries, as the store counts them if it answers in time.
    async fn count_queued(&self, life: &Life, deadline: Instant) -> u64 {
        if life.is_gone() {
            return self.about_queued();
        }
        let deadline = deadline.max(Instant::now() + COUNT_TIMEOUT);
        let store = Arc::clone(&self.store);
        tokio::select! {
            biased;
            Some(Ok(backlog)) = life.query_store(async move { store.backlog().await }) => backlog.queued,
            () = wait_out(deadline.saturating_duration_since(Instant::now())) => self.about_queued(),
            else => self.about_queued(),
        }
    }

    /// Ends a life without waiting.
    pub(crate) fn abandon(&self, life: &Arc<Life>) {
        self.close(life);
        life.abandon();
    }

    /// Waits until nothing is due and nothing is in flight, until `deadline` at most.
    pub(crate) async fn drain(&self, life: &Arc<Life>, deadline: Instant) {
        const CHECK_INTERVAL: Duration = Duration::from_millis(20);
        let drained = async {
            while life.is_accepting() && !self.is_drained(life).await {
                life.query_store(async { sleep(CHECK_INTERVAL).await })
                    .await;
            }
        };
        tokio::select! {
            () = drained => {}
            () = wait_out(deadline.saturating_duration_since(Instant::now())) => {}
        }
    }

    async fn is_drained(&self, life: &Life) -> bool {
        // A delivery that is being claimed or raised is neither in the queue nor in flight.
        let is_idle = || life.is_idle() && self.leases.is_empty();
        let was_idle = is_idle();
        let query = nothing_is_due(Arc::clone(&self.store), self.now());
        // A store that fails or panics says nothing about the queue. Its loop reports that.
        let nothing_is_due = matches!(life.query_store(query).await, Some(Ok(true)));
        nothing_is_due && was_idle && is_idle()
    }

    /// Returns the problems of the dispatcher, for people; none while it works.
    pub(crate) fn problems(&self) -> Vec<String> {
        let now = self.clock.monotonic();
        let Some(life) = self.life() else {
            return vec!["not sending: the engine was not started".to_owned()];
        };
        let mut problems = life.problems(now);
        problems.extend(self.blocking());
        let idle = self.idle_for().filter(|idle| *idle >= MAX_SILENCE);
        if let (true, Some(idle)) = (problems.is_empty(), idle) {
            let seconds = idle.as_secs();
            let why = if life.heartbeat(Loop::Queue).is_busy() {
                "the store is slow to answer"
            } else {
                "the engine's runtime is stalled"
            };
            problems.push(format!(
                "the queue has not been polled for {seconds} s: {why}"
            ));
        }
        problems
    }

    /// Returns the channels that block a thread, for people.
    fn blocking(&self) -> impl Iterator<Item = String> {
        let blocking = self.watchdog.get().map(Watchdog::blocking);
        blocking.into_iter().flatten().map(|(gateway, taken)| {
            let seconds = taken.as_secs();
            format!("the channel of gateway {gateway} has blocked its thread for {seconds} s")
        })
    }

    /// Returns true if due deliveries are claimed, and the last poll was recent.
    pub(crate) fn is_healthy(&self) -> bool {
        let now = self.clock.monotonic();
        let life = self.life();
        let hangs = |life: &Arc<Life>| life.heartbeat(Loop::Queue).hangs_for(now).is_some();
        life.is_some_and(|life| life.is_accepting() && !hangs(&life) && !life.is_stalled())
            && self.idle_for().is_none_or(|idle| idle < MAX_SILENCE)
    }

    fn is_present(&self, life: &Arc<Life>) -> bool {
        let present = self.life.load();
        present
            .as_ref()
            .is_some_and(|present| Arc::ptr_eq(present, life))
    }
}

/// Returns the end of a limit that begins now. A limit too long to represent ends in years.
pub(crate) fn deadline_after(limit: Duration) -> Instant {
    const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    Instant::now() + limit.min(FOREVER)
}

async fn nothing_is_due(store: Arc<dyn Store>, now: Timestamp) -> Result<bool, StoreError> {
    if !store.unfinished().await?.is_empty() {
        return Ok(false);
    }
    let queues = store.due_queues().await?;
    Ok(queues.iter().all(|queue| queue.due_at > now))
}

/// Returns the present runtime, if the engine can run on it.
fn usable_runtime() -> Result<Handle, StartError> {
    let Ok(runtime) = Handle::try_current() else {
        return Err(StartError::Runtime(
            "there is no Tokio runtime: call start within one, as in runtime.block_on(engine.start())",
        ));
    };
    // Tokio reports a missing driver by a panic, and in no other way.
    if caught_now(|| tokio::time::sleep(Duration::ZERO)).is_err() {
        return Err(StartError::Runtime(
            "the Tokio runtime has no timers: build it with enable_all()",
        ));
    }
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let socket = socket.and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
    if let Ok(socket) = socket
        && caught_now(|| tokio::net::UdpSocket::from_std(socket)).is_err()
    {
        return Err(StartError::Runtime(
            "the Tokio runtime has no I/O: build it with enable_all()",
        ));
    }
    Ok(runtime)
}
