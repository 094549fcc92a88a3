//! The recorder, which records the outcomes of hand-overs in batches.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::warn;

use crate::delivery::{Disposition, Settled, Settlement};
use crate::dispatcher::life::Life;
use crate::dispatcher::life::heartbeat::Loop;
use crate::dispatcher::{Dispatcher, LeaseGuard};
use crate::model::WorkerId;
use crate::store::{Store, StoreError};

/// Time limit for recording an outcome that a working store refuses. A store that is down has no
/// limit, since the leases are renewed as soon as it is back.
const RECORD_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum number of outcomes recorded at once.
const BATCH_SIZE: usize = 256;
/// Shortest and longest wait before the next try after an error.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// A hand-over that has ended.
#[derive(Debug)]
pub(crate) struct FinishedDelivery {
    pub(crate) settlement: Settlement,
    /// Its lease, which must not end before the outcome is recorded.
    pub(crate) _guard: LeaseGuard,
    /// Counts as in flight until it is recorded; `None` if the dispatcher had ended before.
    pub(crate) _token: Option<TaskTrackerToken>,
}

/// An outcome that waits to be recorded.
#[derive(Debug)]
struct PendingOutcome {
    finished: FinishedDelivery,
    since: Instant,
    /// The time of the next try after the store refused this outcome, and the wait that led to it.
    held_back: Option<(Instant, Duration)>,
}

/// The outcomes of hand-overs, until they are recorded. It outlives the loop that records them, so
/// that nothing is lost when that panics or ends early.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    waiting: Mutex<Vec<PendingOutcome>>,
    /// Number of outcomes that are being recorded.
    being_recorded: AtomicUsize,
    news: Notify,
    /// Held by the loop that records.
    recording: tokio::sync::Mutex<()>,
}

/// Outcomes that are being recorded. Those that are not recorded go back to the waiting ones.
struct Batch<'a> {
    recorder: &'a Recorder,
    waiting: Vec<PendingOutcome>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut waiting = self.recorder.lock();
        self.recorder.being_recorded.store(0, Ordering::Relaxed);
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.append(&mut waiting);
        *waiting = std::mem::take(&mut self.waiting);
    }
}

impl Recorder {
    pub(crate) fn push(&self, finished: FinishedDelivery) {
        self.lock().push(PendingOutcome {
            finished,
            since: Instant::now(),
            held_back: None,
        });
        self.news.notify_one();
    }

    /// Returns the number of outcomes that are not recorded.
    pub(crate) fn len(&self) -> usize {
        let waiting = self.lock();
        waiting.len() + self.being_recorded.load(Ordering::Relaxed)
    }

    /// Takes the outcomes that may be recorded now. Otherwise returns the time at which there will
    /// be some, if it is known.
    fn take(&self, now: Instant) -> Result<Batch<'_>, Option<Instant>> {
        let mut all = self.lock();
        let is_free =
            |one: &mut PendingOutcome| one.held_back.is_none_or(|(until, _)| until <= now);
        let waiting: Vec<_> = all.extract_if(.., is_free).take(BATCH_SIZE).collect();
        if waiting.is_empty() {
            let held_back = all.iter().filter_map(|one| one.held_back);
            return Err(held_back.map(|(until, _)| until).min());
        }
        self.being_recorded.store(waiting.len(), Ordering::Relaxed);
        drop(all);
        let recorder = self;
        Ok(Batch { recorder, waiting })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PendingOutcome>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of the recording loop. It keeps the store open, but not the dispatcher alive.
#[derive(Clone)]
struct RecordLoop {
    recorder: Arc<Recorder>,
    life: Arc<Life>,
    store: Arc<dyn Store>,
    worker: WorkerId,
    dispatcher: Weak<Dispatcher>,
}

impl Dispatcher {
    /// Records outcomes, in a loop of its own, until nothing is left that may bring one.
    pub(crate) fn spawn_recorder(self: &Arc<Self>, life: &Arc<Life>) {
        let recording = RecordLoop {
            recorder: Arc::clone(&self.recorder),
            life: Arc::clone(life),
            store: Arc::clone(&self.store),
            worker: self.worker,
            dispatcher: Arc::downgrade(self),
        };
        let clock = Arc::clone(&self.clock);
        life.supervise(Loop::Recorder, move || {
            let (recording, clock) = (recording.clone(), Arc::clone(&clock));
            async move {
                let _only = recording.recorder.recording.lock().await;
                tokio::select! {
                    () = recording.run(&*clock) => {}
                    () = recording.life.tasks().wait() => {}
                }
            }
        });
    }
}

impl RecordLoop {
    /// Records outcomes for ever.
    async fn run(&self, clock: &dyn crate::clock::Clock) {
        let heartbeat = self.life.heartbeat(Loop::Recorder);
        let mut pause = BACKOFF.0;
        loop {
            let batch = match self.recorder.take(Instant::now()) {
                Ok(batch) => batch,
                Err(Some(until)) => {
                    tokio::select! {
                        () = self.recorder.news.notified() => {}
                        () = tokio::time::sleep_until(until) => {}
                    }
                    continue;
                }
                Err(None) => {
                    self.recorder.news.notified().await;
                    continue;
                }
            };
            let round = heartbeat.begin(clock.monotonic());
            match self.record(batch).await {
                Ok(()) => {
                    round.succeed();
                    pause = BACKOFF.0;
                }
                Err(error) => {
                    drop(round);
                    heartbeat.fail(crate::error_chain(&error));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
            }
        }
    }

    /// Records outcomes together, or one by one if one of them is refused.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store is down. The rest of the batch waits.
    async fn record(&self, mut batch: Batch<'_>) -> Result<(), StoreError> {
        let all = batch.waiting.len();
        let error = match self.settle(&mut batch, 0..all).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        warn_delayed(&error);
        if is_down(&error) {
            self.drop_overdue(&mut batch);
            return Err(error);
        }
        let mut position = 0;
        while position < batch.waiting.len() {
            match self.settle(&mut batch, position..position + 1).await {
                Ok(()) => {}
                Err(error) if is_down(&error) => return Err(error),
                Err(error) => {
                    warn_delayed(&error);
                    hold_back(&mut batch.waiting[position]);
                    position += 1;
                }
            }
        }
        self.drop_overdue(&mut batch);
        Ok(())
    }

    /// Records a part of a batch, and takes it out.
    async fn settle(&self, batch: &mut Batch<'_>, part: Range<usize>) -> Result<(), StoreError> {
        let some = batch.waiting[part.clone()].iter();
        let settlements: Vec<_> = some.map(|one| one.finished.settlement.clone()).collect();
        let settled = self.store.settle(self.worker, &settlements).await?;
        let recorded: Vec<_> = batch.waiting.drain(part).collect();
        // Counted before the tokens are dropped, which tells a shutdown that all is recorded.
        self.recorder
            .being_recorded
            .store(batch.waiting.len(), Ordering::Relaxed);
        for (one, settled) in recorded.iter().zip(settled) {
            self.recorded(&one.finished.settlement, settled);
        }
        Ok(())
    }

    /// Drops outcomes that could not be recorded for too long. Those that wait for a store that is
    /// down are kept as long as the dispatcher lives.
    fn drop_overdue(&self, batch: &mut Batch<'_>) {
        let is_kept = self.dispatcher.strong_count() > 0;
        batch.waiting.retain(|one| {
            let is_own_error = one.held_back.is_some();
            let is_over = (is_own_error || !is_kept) && one.since.elapsed() >= RECORD_TIMEOUT;
            if is_over {
                warn!(
                    delivery = %one.finished.settlement.delivery.id,
                    "could not record an outcome; the delivery will be repeated when its lease ends"
                );
            }
            !is_over
        });
    }

    fn recorded(&self, settlement: &Settlement, settled: Settled) {
        let delivery = &settlement.delivery;
        if settled != Settled::Recorded && settlement.attempt.is_some() {
            warn!(delivery = %delivery.id, "the lease had already passed to another grant");
        }
        if settled != Settled::Lost {
            crate::dispatcher::outcome::count::count_settlement(settlement);
        }
        let Some(dispatcher) = self.dispatcher.upgrade() else {
            return;
        };
        let waits = matches!(
            settlement.next,
            Disposition::Queue { .. } | Disposition::Elsewhere { .. }
        );
        if settled == Settled::Recorded && waits {
            dispatcher.queued([&delivery.lane]);
        }
        dispatcher.waiters.notify(delivery.notification);
    }
}

/// Delays the next try of an outcome that the store refused, longer each time.
fn hold_back(one: &mut PendingOutcome) {
    let before = one.held_back.map_or(BACKOFF.0, |(_, pause)| pause);
    let pause = (before * 2).min(BACKOFF.1);
    one.held_back = Some((Instant::now() + pause, pause));
}

const fn is_down(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_) | StoreError::Unknown(_))
}

fn warn_delayed(error: &StoreError) {
    let error = crate::error_chain(error);
    warn!(error, "could not record outcomes; trying again");
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use tokio::time::sleep;

    use super::*;
    use crate::Engine;
    use crate::clock::Timestamp;
    use crate::delivery::{AttemptOutcome, DeliveryState};
    use crate::gateway::{Channel, Gateway};
    use crate::message::{Accepted, OutboundMessage, Raise, SendError};
    use crate::model::{
        Address, AddressError, ChannelKind, Contact, EndpointId, NotificationId, Slug,
    };
    use crate::store::{DeliveryRecord, Directory, Entry, MemoryStore, Outbox, Save};

    /// Accepts every message.
    #[derive(Debug)]
    struct Taker;

    #[async_trait]
    impl Channel for Taker {
        fn kind(&self) -> ChannelKind {
            ChannelKind::parse("x").unwrap()
        }

        fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
            Address::new(raw)
        }

        async fn send(&self, _: &OutboundMessage) -> Result<Accepted, SendError> {
            Ok(Accepted::new(None))
        }
    }

    fn slug(text: &str) -> Slug {
        Slug::parse(text).unwrap()
    }

    /// Returns an engine over a store that has a contact to notify.
    async fn engine(store: &Arc<MemoryStore>) -> Engine {
        let ann = Contact::new(slug("ann"), "Ann".parse().unwrap()).with_endpoint(
            EndpointId::new(Timestamp::from_millis(0)),
            Taker.kind(),
            Address::new("a").unwrap(),
        );
        let entries = [Entry::Contact(ann)];
        store.save(&entries, Save::Create).await.unwrap();
        let gateway = Gateway::new(slug("first"), Taker);
        let engine = Engine::builder(Arc::clone(store)).gateway(gateway);
        engine.build().unwrap()
    }

    async fn delivery(store: &MemoryStore, id: NotificationId) -> DeliveryRecord {
        let (_, mut records) = store.notification(id).await.unwrap().unwrap();
        records.remove(0)
    }

    #[tokio::test(start_paused = true)]
    async fn outcome_is_recorded_after_a_long_outage_of_the_store() {
        let store = Arc::new(MemoryStore::new());
        let engine = engine(&store).await;
        let running = engine.start().await.unwrap();
        store.refuse_outcomes(true);
        let raised = engine.raise(Raise::contact(slug("ann"), "hello")).await;
        let id = raised.unwrap().notification;
        sleep(RECORD_TIMEOUT * 3).await;
        let record = delivery(&store, id).await;
        assert_eq!(record.delivery.state, DeliveryState::Sending);

        store.refuse_outcomes(false);
        let records = engine.wait(id, Duration::from_secs(10)).await.unwrap();
        assert_eq!(records[0].delivery.state, DeliveryState::Sent);
        assert_eq!(records[0].attempts_made.len(), 1);
        assert_eq!(records[0].attempts_made[0].outcome, AttemptOutcome::Ok);
        running.shutdown(Duration::from_secs(5)).await;
    }
}
