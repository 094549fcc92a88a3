//! One life of the dispatcher, from its start to its end, on the runtime that started it.

mod deadline;
pub(super) mod heartbeat;
pub(super) mod start;
pub(super) mod watchdog;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::error;

use crate::clock::Monotonic;
use crate::dispatcher::life::deadline::wait_out;
use crate::dispatcher::life::heartbeat::{Heartbeat, Loop};
use crate::panicked::caught;
use crate::store::Serving;

/// Shortest and longest wait before a loop that panicked starts again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// Time after which a loop that panicked counts as recovered.
const RECOVERED_AFTER: Duration = Duration::from_secs(60);
/// Time between two heartbeats of the runtime.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);
/// Time without a heartbeat after which a runtime counts as stalled. It is less than [the bound of
/// a loop](crate::dispatcher::life::heartbeat::MAX_SILENCE), so that no store is blamed for it.
const STALLED_AFTER: Duration = Duration::from_secs(4);
/// Time for hand-overs to end once their requests are cut off.
const CUT_OFF_GRACE: Duration = Duration::from_millis(30);
/// Time for outcomes to be recorded once every hand-over has ended.
const RECORDING_GRACE: Duration = Duration::from_millis(50);

/// A started dispatcher, until all of its tasks have ended.
#[derive(Debug)]
pub(crate) struct Life {
    runtime: Handle,
    /// The process that started it. A fork has none of its threads.
    process: u32,
    is_exclusive: bool,
    /// Cancelled to stop claiming from the queue.
    stop: CancellationToken,
    /// Cancelled to cut off requests to gateways.
    cut: CancellationToken,
    /// Cancelled to end hand-overs wherever they are.
    kill: CancellationToken,
    /// The tasks that may still bring an outcome: raises, hand-overs, and outcomes that are not
    /// recorded.
    tasks: TaskTracker,
    /// Number of raises in progress.
    raising: AtomicUsize,
    heartbeats: [Heartbeat; Loop::ALL.len()],
    /// True if the runtime is gone.
    is_gone: AtomicBool,
    begun: std::time::Instant,
    /// Time of the runtime's last heartbeat, in milliseconds since the beginning.
    runtime_beat: AtomicU64,
    /// The rights that keep others from dispatching: the engine's own slot, and the store's.
    rights: Mutex<Option<[Serving; 2]>>,
}

/// Records the end of a loop, however it ends.
struct LoopEnd {
    life: Arc<Life>,
    name: Loop,
}

impl Drop for LoopEnd {
    fn drop(&mut self) {
        self.life.heartbeat(self.name).end();
        let is_early = match self.name {
            Loop::Recorder => !self.life.tasks.is_empty(),
            _ => !self.life.stop.is_cancelled(),
        };
        if is_early {
            // The runtime is gone, and nothing else will report this end.
            self.life.is_gone.store(true, Ordering::Release);
            self.life.release_rights();
        }
    }
}

/// A raise in progress.
struct RaiseGuard(Arc<Life>);

impl RaiseGuard {
    fn begin(life: &Arc<Life>) -> Self {
        life.raising.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(life))
    }
}

impl Drop for RaiseGuard {
    fn drop(&mut self) {
        self.0.raising.fetch_sub(1, Ordering::Release);
    }
}

impl Life {
    pub(super) fn new(runtime: Handle, slot: Serving, serving: Serving) -> Self {
        Self {
            runtime,
            process: std::process::id(),
            is_exclusive: serving.is_exclusive(),
            stop: CancellationToken::new(),
            cut: CancellationToken::new(),
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
            raising: AtomicUsize::new(0),
            heartbeats: std::array::from_fn(|_| Heartbeat::default()),
            is_gone: AtomicBool::new(false),
            begun: std::time::Instant::now(),
            runtime_beat: AtomicU64::new(0),
            rights: Mutex::new(Some([slot, serving])),
        }
    }

    /// Returns true if nobody else can dispatch from the store.
    pub(super) const fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }

    pub(crate) const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    pub(super) const fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    pub(super) const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub(crate) fn heartbeat(&self, name: Loop) -> &Heartbeat {
        &self.heartbeats[name as usize]
    }

    /// Returns true if this process started the dispatcher.
    pub(crate) fn is_own_process(&self) -> bool {
        self.process == std::process::id()
    }

    /// Returns the id of the process that started the dispatcher.
    pub(crate) const fn process(&self) -> u32 {
        self.process
    }

    /// Returns true if the runtime is gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    /// Returns true if it claims due deliveries, and has not been stopped.
    pub(crate) fn is_accepting(&self) -> bool {
        !self.stop.is_cancelled() && !self.is_gone() && self.is_own_process()
    }

    /// Returns true if another life may begin.
    pub(super) fn is_over(&self) -> bool {
        let rights = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        rights.is_none()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Runs a raise to its end, even if its caller or the dispatcher goes away.
    pub(crate) fn spawn_raise(self: &Arc<Self>, raise: impl Future<Output = ()> + Send + 'static) {
        let raising = RaiseGuard::begin(self);
        self.spawn(async move {
            raise.await;
            drop(raising);
        });
    }

    /// Runs a task that brings no outcome.
    pub(crate) fn spawn_detached(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// Runs a task that may be dropped half-way when the dispatcher ends.
    pub(crate) fn spawn_hand_over(&self, task: impl Future<Output = ()> + Send + 'static) {
        let kill = self.kill.clone();
        self.spawn(async move {
            kill.run_until_cancelled(task).await;
        });
    }

    /// Runs a loop, and restarts it if it panics.
    pub(crate) fn supervise<F>(
        self: &Arc<Self>,
        name: Loop,
        work: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send,
    {
        let life = Arc::clone(self);
        let loop_end = LoopEnd { life, name };
        let supervised = async move {
            let mut pause = BACKOFF.0;
            loop {
                let begun = Instant::now();
                let Err(panicked) = caught(async { work().await }).await else {
                    return;
                };
                if begun.elapsed() >= RECOVERED_AFTER {
                    pause = BACKOFF.0;
                }
                let title = name.as_str();
                error!(part = title, error = %panicked, ?pause, "a loop panicked and will be restarted");
                loop_end.life.heartbeat(name).fail(panicked.to_string());
                sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
            }
        };
        // The queue's loop may bring hand-overs until it ends. The others end after them.
        if name == Loop::Queue {
            self.spawn(supervised);
        } else {
            self.runtime.spawn(supervised);
        }
    }

    /// Queries the store on the runtime of this life, which stores may need. Returns `None` if the
    /// store panics, or if the runtime is gone.
    pub(super) async fn query_store<T: Send + 'static>(
        &self,
        question: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let asked = AbortOnDropHandle::new(self.runtime.spawn(question));
        asked.await.ok()
    }

    /// Sends heartbeats of the runtime as long as this life lasts.
    pub(super) fn spawn_runtime_heartbeat(self: &Arc<Self>) {
        let life = Arc::downgrade(self);
        self.runtime.spawn(async move {
            while let Some(life) = life.upgrade().filter(|life| !life.stop.is_cancelled()) {
                life.runtime_beat.store(life.age(), Ordering::Relaxed);
                drop(life);
                sleep(HEARTBEAT_INTERVAL).await;
            }
        });
    }

    /// Returns true if the runtime has run no task for some time, so that no loop is to blame.
    pub(super) fn is_stalled(&self) -> bool {
        let runtime_beat = self.runtime_beat.load(Ordering::Relaxed);
        Duration::from_millis(self.age().saturating_sub(runtime_beat)) >= STALLED_AFTER
    }

    /// Returns the milliseconds since the beginning.
    fn age(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Stops claiming. Deliveries in flight go on.
    pub(super) fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
    }

    /// Ends what is in flight, without waiting for it.
    pub(super) fn abandon(&self) {
        self.close();
        self.cut.cancel();
        self.kill.cancel();
        self.release_rights();
    }

    /// Waits until `deadline` for what is in flight, then ends it. Returns within 100 ms of the
    /// deadline, whatever hangs.
    pub(super) async fn end(&self, deadline: Instant) {
        self.close();
        if !self.ends_by(deadline).await {
            self.cut.cancel();
            if !self.ends_by(deadline + CUT_OFF_GRACE).await {
                self.kill.cancel();
                self.ends_by(deadline + CUT_OFF_GRACE + RECORDING_GRACE)
                    .await;
            }
        }
        self.abandon();
    }

    async fn ends_by(&self, deadline: Instant) -> bool {
        if self.is_gone() {
            return true;
        }
        tokio::select! {
            biased;
            () = self.tasks.wait() => true,
            () = wait_out(deadline.saturating_duration_since(Instant::now())) => false,
        }
    }

    /// Returns true if no raise is in progress, and nothing is being claimed.
    pub(super) fn is_idle(&self) -> bool {
        self.raising.load(Ordering::Acquire) == 0 && !self.heartbeat(Loop::Queue).is_busy()
    }

    /// Returns the number of raises and polls that wait for the store.
    pub(super) fn pending(&self) -> usize {
        let looks = usize::from(!self.heartbeat(Loop::Queue).has_ended());
        self.raising.load(Ordering::Relaxed) + looks
    }

    /// Lets others dispatch from the store, before this returns.
    fn release_rights(&self) {
        let mut rights = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        let rights = rights.take();
        drop(rights);
    }

    /// Returns the problems of this life, for people.
    pub(super) fn problems(&self, now: Monotonic) -> Vec<String> {
        if !self.is_own_process() {
            let process = self.process;
            return vec![format!(
                "not sending: process {process} started the engine, and a fork has none of its threads"
            )];
        }
        if self.stop.is_cancelled() {
            return vec!["not sending: the engine was stopped".to_owned()];
        }
        if self.is_gone() {
            let why = "not sending: the engine's runtime has ended";
            return vec![why.to_owned()];
        }
        if self.is_stalled() {
            return vec!["the engine's runtime is stalled".to_owned()];
        }
        let loops = Loop::ALL.iter();
        loops
            .filter_map(|name| self.heartbeat(*name).problem(*name, now))
            .collect()
    }
}
