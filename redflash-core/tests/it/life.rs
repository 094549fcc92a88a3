//! The life of a dispatcher: start, end, restart, and what is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redflash_core::delivery::{Attempt, AttemptOutcome, DeliveryState};
use redflash_core::engine::{ShutdownReport, StartError};
use redflash_core::gateway::{Gateway, OnUnknown};
use redflash_core::model::NotificationId;
use redflash_core::store::{DeliveryRecord, MemoryStore, Store};
use tokio::runtime::{Builder, Runtime};

use crate::world::{Answer, Script, World, gateway};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A gateway that sends one message at a time and never answers, so that others wait for their
/// turn.
fn silent(script: &Script) -> Gateway {
    script.always("a", Answer::Gated);
    let mut gateway = gateway("first", script, 1);
    gateway.limits.deadline = Duration::from_secs(50);
    gateway
}

/// Raises twice: one message that is being sent, and one that waits for its turn.
async fn two_under_way(world: &World, script: &Script) -> (NotificationId, NotificationId) {
    world.contact("ann", &["a"]).await;
    let sent = world.tell("ann", "sent").await.notification;
    while script.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    let waiting = world.tell("ann", "waiting").await.notification;
    let state = world.records(waiting).await[0].delivery.state;
    assert_eq!(state, DeliveryState::Sending);
    (sent, waiting)
}

fn has_no_attempt(record: &DeliveryRecord) {
    let delivery = &record.delivery;
    assert_eq!(
        (delivery.state, delivery.attempts),
        (DeliveryState::Queued, 0)
    );
    assert_eq!(record.attempts_made, []);
}

#[tokio::test]
async fn second_start_is_refused_and_a_later_one_works() {
    let script = Script::new("x");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut world = World::over(Arc::clone(&store), [gateway("first", &script, 8)]);
    world.contact("ann", &["a"]).await;
    world.start().await;
    let again = world.engine.start().await;
    assert!(matches!(again, Err(StartError::AlreadyRunning { by }) if by == "this engine"));
    let other = World::over(store, [gateway("first", &script, 8)]);
    let beside = other.engine.start().await;
    assert!(matches!(beside, Err(StartError::AlreadyRunning { .. })));

    let mut raised_alerts = vec![world.tell("ann", "before").await];
    world
        .engine
        .wait(raised_alerts[0].notification, Duration::from_secs(9))
        .await
        .unwrap();
    world.stop().await;
    raised_alerts.push(world.tell("ann", "between").await);
    world.start().await;
    raised_alerts.push(world.tell("ann", "after").await);
    for raised in &raised_alerts {
        let record = world
            .until(raised.notification, |r| {
                r.delivery.state == DeliveryState::Sent
            })
            .await;
        assert_eq!(record.attempts_made.len(), 1);
    }
    let running: Vec<_> = raised_alerts.iter().map(|raised| raised.running).collect();
    assert_eq!((running, script.sent_to("a")), (vec![true, false, true], 3));
}

#[tokio::test]
async fn end_of_grace_cuts_off_running_requests_and_requeues_the_rest() {
    let script = Script::new("x");
    let world = World::asleep([silent(&script)]);
    let running = world.engine.start().await.unwrap();
    let (sent, waiting) = two_under_way(&world, &script).await;
    let begun = Instant::now();
    let left = running.shutdown(Duration::from_millis(50)).await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert!(left.is_clean(), "{left:?}");
    let record = world.records(sent).await.remove(0);
    assert_eq!(record.delivery.state, DeliveryState::Queued);
    let [attempt] = &*record.attempts_made else {
        panic!("{record:#?}");
    };
    assert_eq!(attempt.outcome, AttemptOutcome::Unknown);
    assert!(
        attempt
            .detail
            .contains("shut down before the gateway answered")
    );
    has_no_attempt(&world.records(waiting).await[0]);
}

#[tokio::test]
async fn dropped_handle_cuts_off_and_another_engine_starts_at_once() {
    let script = Script::new("x");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let world = World::over(Arc::clone(&store), [silent(&script)]);
    let running = world.engine.start().await.unwrap();
    let (sent, waiting) = two_under_way(&world, &script).await;
    drop(running);
    let answers = Script::new("x");
    let mut next = World::over(store, [gateway("first", &answers, 8)]);
    next.start().await;
    for id in [sent, waiting] {
        next.until(id, |r| r.delivery.state == DeliveryState::Sent)
            .await;
    }
    let later = world.tell("ann", "later").await;
    assert!(!later.running);
    assert!(!world.engine.health().running);
}

#[test]
fn only_started_messages_are_unknown_after_loss_of_runtime() {
    let script = Script::new("x");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let first = runtime();
    let world = World::over(Arc::clone(&store), [silent(&script)]);
    let (handle, (sent, waiting)) = first.block_on(async {
        let handle = world.engine.start().await.unwrap();
        (handle, two_under_way(&world, &script).await)
    });
    drop(first);
    let health = world.engine.health();
    assert!(!health.running);
    assert!(
        health.problems[0].contains("runtime"),
        "{:?}",
        health.problems
    );
    script.always("a", Answer::Accept);
    // The same engine, on another runtime.
    runtime().block_on(async {
        let running = world.engine.start().await.unwrap();
        let record = world
            .until(sent, |r| r.delivery.state == DeliveryState::Sent)
            .await;
        assert_eq!(record.attempts_made[0].detail, Attempt::CUT_OFF);
        assert_eq!(record.attempts_made.len(), 2);
        let record = world
            .until(waiting, |r| r.delivery.state == DeliveryState::Sent)
            .await;
        assert_eq!(record.attempts_made.len(), 1);
        assert_eq!(script.sent_to("a"), 3);
        let left = running.drain(Duration::from_secs(5)).await;
        assert_eq!(left, ShutdownReport::default());
    });
    drop(handle);
}

#[tokio::test]
async fn health_reports_why_nothing_is_sent() {
    let mut world = World::asleep([]);
    let health = world.engine.health();
    assert!(!health.running);
    assert_eq!(health.problems, ["not sending: the engine was not started"]);
    world.start().await;
    let health = world.engine.health();
    assert_eq!((health.running, health.problems), (true, Vec::new()));
    world.stop().await;
    let health = world.engine.health();
    assert!(!health.running);
    assert_eq!(health.problems, ["not sending: the engine was stopped"]);
}

#[test]
fn start_is_refused_without_a_runtime_that_can_do_it() {
    let world = World::asleep([]);
    let refused = |started: Result<_, StartError>| match started {
        Err(StartError::Runtime(why)) => why,
        started => panic!("{started:?}"),
    };
    let outside = futures_util::FutureExt::now_or_never(world.engine.start()).unwrap();
    assert!(refused(outside).contains("no Tokio runtime"));
    let bare = Builder::new_current_thread().build().unwrap();
    assert!(refused(bare.block_on(world.engine.start())).contains("no timers"));
    let timed = Builder::new_current_thread().enable_time().build().unwrap();
    assert!(refused(timed.block_on(world.engine.start())).contains("no I/O"));
    assert!(!world.engine.health().running);
}

/// Returns how many of ten deliveries are leased, of which one at a time may be under way.
async fn leased(world: &World, script: &Script) -> usize {
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(world.tell("ann", "hello").await.notification);
    }
    while script.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut leased = 0;
    for id in ids {
        let state = world.records(id).await[0].delivery.state;
        leased += usize::from(state == DeliveryState::Sending);
    }
    leased
}

#[tokio::test]
async fn nothing_is_leased_ahead_where_it_could_be_blamed_for_a_crash() {
    let script = Script::new("x");
    let world = World::new([silent(&script)]).await;
    world.contact("ann", &["a"]).await;
    assert_eq!(leased(&world, &script).await, 4);

    let script = Script::new("x");
    let mut holding = silent(&script);
    holding.on_unknown = OnUnknown::Hold;
    let world = World::new([holding]).await;
    world.contact("ann", &["a"]).await;
    assert_eq!(leased(&world, &script).await, 1);

    let script = Script::new("x");
    let mut world = World::asleep([silent(&script)]);
    world.contact("ann", &["a"]).await;
    let crashed = world.tell("ann", "hello").await.notification;
    world.leased_to_another(Duration::from_secs(60)).await;
    world.start().await;
    let record = world.records(crashed).await.remove(0);
    assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Unknown);
    assert_eq!(
        leased(&world, &script).await,
        0,
        "the one of before is under way"
    );
}
