//! Every delivery is counted in the state in which it ends.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use redflash_core::delivery::{DeliveryState, RetrySchedule};
use redflash_core::store::MAX_CLAIMS;

use crate::world::{Answer, START, Script, World, gateway};

/// Counters of deliveries that ended, by state.
#[derive(Debug, Default)]
struct Ended(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Ended {
    fn counts(&self) -> Vec<(String, u64)> {
        let counters = self.0.lock().unwrap();
        let count = |counter: &AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
        let counts = counters
            .iter()
            .map(|(state, one)| (state.clone(), count(one)));
        counts.collect()
    }
}

impl Recorder for Ended {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let state = key.labels().find(|label| label.key() == "state");
        let Some(state) = state.filter(|_| key.name() == "redflash_deliveries_total") else {
            return Counter::noop();
        };
        let mut counters = self.0.lock().unwrap();
        let counter = counters.entry(state.value().to_owned()).or_default();
        Counter::from_arc(Arc::clone(counter))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn counts_accepted_deliveries() {
    let ended = Ended::default();
    let _recording = set_default_local_recorder(&ended);
    let world = World::new([gateway("first", &Script::new("x"), 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.engine.wait(id, Duration::from_secs(5)).await.unwrap();
    assert_eq!(ended.counts(), [("sent".to_owned(), 1)]);
}

#[tokio::test]
async fn counts_quarantined_deliveries() {
    let ended = Ended::default();
    let _recording = set_default_local_recorder(&ended);
    let mut world = World::asleep([gateway("first", &Script::new("x"), 8)]);
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    for _ in 0..MAX_CLAIMS {
        world.store.requeue_orphans(START, None, &[]).await.unwrap();
        world.leased_to_another(Duration::ZERO).await;
    }
    world.start().await;
    let state = world.records(id).await[0].delivery.state;
    assert_eq!(state, DeliveryState::Quarantined);
    assert_eq!(ended.counts(), [("quarantined".to_owned(), 1)]);
}

#[tokio::test]
async fn counts_given_up_deliveries() {
    let ended = Ended::default();
    let _recording = set_default_local_recorder(&ended);
    let script = Script::new("x");
    script.always("a", Answer::Unauthorized);
    let schedule = RetrySchedule::prompt().giving_up_after(Duration::from_secs(10));
    let world = World::new([gateway("first", &script, 8).with_schedule(schedule)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, |one| one.delivery.attempts == 1).await;
    world.advance(Duration::from_secs(60));
    world.until(id, |one| one.delivery.state.is_final()).await;
    assert_eq!(ended.counts(), [("failed".to_owned(), 1)]);
}
