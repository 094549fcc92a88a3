//! Recording what became of hand-overs, as many at once as have ended meanwhile.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::warn;

use super::{Dispatcher, LeaseGuard};
use crate::{Next, Settled, Settlement, Store, StoreError, WorkerId};

/// Time limit for recording an outcome that a working store refuses. A store that is down is waited for
/// without a limit, since the lease is renewed as soon as it is back.
const RECORDING: Duration = Duration::from_secs(60);
/// The most outcomes that are recorded at once.
const BATCH: usize = 256;

/// A hand-over that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) settlement: Settlement,
    /// Its lease, which is not to end before it is recorded.
    pub(super) guard: LeaseGuard,
    /// Under way until it is recorded.
    pub(super) token: TaskTrackerToken,
}

/// Where hand-overs leave what became of them.
#[derive(Debug)]
pub(super) struct Recorder {
    ended: mpsc::UnboundedSender<Ended>,
    waiting: Mutex<Option<mpsc::UnboundedReceiver<Ended>>>,
}

impl Default for Recorder {
    fn default() -> Self {
        let (ended, waiting) = mpsc::unbounded_channel();
        let waiting = Mutex::new(Some(waiting));
        Self { ended, waiting }
    }
}

impl Recorder {
    pub(super) fn push(&self, ended: Ended) {
        // Nobody receives once the process is about to end: the lease then tells.
        let _ = self.ended.send(ended);
    }

    fn take(&self) -> Option<mpsc::UnboundedReceiver<Ended>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.take()
    }
}

/// The work of recording. It keeps the store open, and not the dispatcher.
#[derive(Clone)]
struct Recording {
    store: Arc<dyn Store>,
    worker: WorkerId,
    dispatcher: Weak<Dispatcher>,
}

impl Dispatcher {
    /// Records outcomes until told to stop, or until nobody is left who could bring one.
    pub(crate) fn record(
        self: &Arc<Self>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let recording = Recording {
            store: Arc::clone(&self.store),
            worker: self.worker,
            dispatcher: Arc::downgrade(self),
        };
        // Started a second time, there is nothing to do: the first goes on recording.
        let waiting = self.recorder.take();
        async move {
            let Some(mut waiting) = waiting else {
                return;
            };
            let mut batch = Vec::new();
            loop {
                tokio::select! {
                    biased;
                    some = waiting.recv_many(&mut batch, BATCH) => if some == 0 { return },
                    () = stop.cancelled() => return,
                }
                recording.batch(std::mem::take(&mut batch)).await;
            }
        }
    }
}

impl Recording {
    async fn batch(&self, batch: Vec<Ended>) {
        let (settlements, kept): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|ended| (ended.settlement, (ended.guard, ended.token)))
            .unzip();
        match self.store.settle(self.worker, &settlements).await {
            Ok(settled) => {
                for (settlement, settled) in settlements.iter().zip(settled) {
                    self.recorded(settlement, settled);
                }
            }
            Err(fault) => {
                late(&fault);
                // It may be one of them that cannot be recorded: from now on each for itself.
                for (settlement, kept) in settlements.into_iter().zip(kept) {
                    let recording = self.clone();
                    tokio::spawn(async move {
                        recording.alone(&settlement).await;
                        drop(kept);
                    });
                }
            }
        }
    }

    /// Records an outcome, however long the store is down.
    async fn alone(&self, settlement: &Settlement) {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
            let one = std::slice::from_ref(settlement);
            let fault = match self.store.settle(self.worker, one).await {
                Ok(settled) => {
                    for settled in settled {
                        self.recorded(settlement, settled);
                    }
                    return;
                }
                Err(fault) => fault,
            };
            late(&fault);
            let is_down = matches!(fault, StoreError::Unavailable(_) | StoreError::Unknown(_));
            let is_waited_for = is_down && self.dispatcher.strong_count() > 0;
            if !is_waited_for && begun.elapsed() >= RECORDING {
                return warn!(
                    delivery = %settlement.delivery.id,
                    "an outcome could not be recorded; the delivery is repeated when its lease ends"
                );
            }
        }
    }

    fn recorded(&self, settlement: &Settlement, settled: Settled) {
        let delivery = &settlement.delivery;
        if settled != Settled::Recorded {
            warn!(delivery = %delivery.id, "the lease had passed to another grant");
        }
        if settled != Settled::Lost {
            super::count::count_settlement(settlement);
        }
        let Some(dispatcher) = self.dispatcher.upgrade() else {
            return;
        };
        let waits = matches!(settlement.next, Next::Queue { .. } | Next::Elsewhere { .. });
        if settled == Settled::Recorded && waits {
            dispatcher.queued([&delivery.lane]);
        }
        dispatcher.waiters.notify(delivery.notification);
    }
}

fn late(fault: &StoreError) {
    let error = crate::report(fault);
    warn!(error, "outcomes are not recorded yet");
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::store::{DeliveryRecord, Entry, Save};
    use crate::{
        Accepted, Address, AddressError, AttemptOutcome, Channel, ChannelKind, Contact,
        DeliveryState, Directory, EndpointId, Engine, Gateway, MemoryStore, NotificationId,
        OutboundMessage, Outbox, Raise, SendError, Slug, Timestamp,
    };

    /// Takes every message.
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

    /// An engine over a store that has a contact to notify.
    async fn engine(store: &Arc<MemoryStore>) -> Engine {
        let ann = Contact::new(slug("ann"), "Ann".parse().unwrap()).with_endpoint(
            EndpointId::new(Timestamp::from_millis(0)),
            Taker.kind(),
            Address::new("a").unwrap(),
        );
        let entries = [Entry::Contact(ann)];
        store.save(&entries, Save::Create).await.unwrap();
        let gateway = Gateway::new(slug("first"), Taker);
        let engine = Engine::builder(Arc::clone(store) as _).gateway(gateway);
        engine.build().unwrap()
    }

    async fn delivery(store: &MemoryStore, id: NotificationId) -> DeliveryRecord {
        let (_, mut records) = store.notification(id).await.unwrap().unwrap();
        records.remove(0)
    }

    #[tokio::test(start_paused = true)]
    async fn outcome_is_recorded_however_long_the_store_was_down() {
        let store = Arc::new(MemoryStore::new());
        let engine = engine(&store).await;
        let running = engine.start().await.unwrap();
        store.refuse_outcomes(true);
        let raised = engine.raise(Raise::contact(slug("ann"), "hello")).await;
        let id = raised.unwrap().notification;
        sleep(RECORDING * 3).await;
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
