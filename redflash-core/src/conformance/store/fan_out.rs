//! Promises of recording a large notification in pieces.

use std::time::Duration;

use super::fixture::{
    Alert, Opened, START, alert, at, claim, contact, limit, save, sent, want, worker,
};
use crate::delivery::Delivery;
use crate::message::Idempotency;
use crate::store::{Enqueue, EnqueueMore, Enqueued, Entry, FanOut, Outbox};

/// Records the first deliveries of an alert, and leaves the others unrecorded.
async fn begin(store: &Opened, alert: &Alert, first: usize) -> Enqueued {
    let order = Enqueue {
        deliveries: &alert.deliveries[..first],
        unqueued: left(alert, first),
        ..alert.unleased()
    };
    store.enqueue(&order).await.expect("enqueued")
}

/// Records the next deliveries of an alert.
async fn record_more(store: &Opened, alert: &Alert, from: usize, to: usize) -> bool {
    let order = EnqueueMore {
        notification: alert.notification.id,
        raised_by: alert.notification.raised_by.as_ref(),
        deliveries: &alert.deliveries[from..to],
        unqueued: left(alert, to),
    };
    store.enqueue_more(&order).await.expect("recorded")
}

fn left(alert: &Alert, recorded: usize) -> u32 {
    u32::try_from(alert.deliveries.len() - recorded).expect("a few")
}

async fn unfinished(store: &Opened) -> Vec<FanOut> {
    store.unfinished().await.expect("read")
}

async fn recorded(store: &Opened, alert: &Alert) -> Vec<Delivery> {
    let found = Outbox::notification(&**store, alert.notification.id).await;
    let (notification, records) = found.expect("read").expect("the notification");
    assert_eq!(notification, alert.notification);
    records.into_iter().map(|record| record.delivery).collect()
}

/// Pieces add up to the whole plan, in its order, and wait like any delivery. Each is recorded
/// once.
pub async fn notification_is_recorded_in_pieces(store: Opened) {
    let alert = alert(5, "sms", Some("app"), START);
    assert_eq!(begin(&store, &alert, 2).await, Enqueued::New);
    let fan_out = |unqueued| FanOut {
        notification: alert.notification.id,
        unqueued,
    };
    assert_eq!(unfinished(&store).await, [fan_out(3)]);
    assert_eq!(recorded(&store, &alert).await, alert.deliveries[..2]);
    assert_eq!(store.backlog().await.expect("read").queued, 5);

    assert!(record_more(&store, &alert, 2, 4).await);
    assert_eq!(unfinished(&store).await, [fan_out(1)]);
    assert!(!record_more(&store, &alert, 2, 4).await, "it is repeated");
    assert_eq!(recorded(&store, &alert).await, alert.deliveries[..4]);

    assert!(record_more(&store, &alert, 4, 5).await);
    assert_eq!(unfinished(&store).await, []);
    assert!(!record_more(&store, &alert, 4, 5).await, "it is repeated");
    assert_eq!(recorded(&store, &alert).await, alert.deliveries);
    assert_eq!(store.backlog().await.expect("read").queued, 5);
    assert_eq!(claim(&store, worker(), START, 10).await.len(), 5);
}

/// Two processes that record one notification record each piece once between them.
pub async fn one_of_two_processes_records_a_piece(store: Opened) {
    const PIECES: usize = 10;
    let alert = std::sync::Arc::new(alert(1 + 3 * 10, "sms", Some("app"), START));
    begin(&store, &alert, 1).await;
    let finisher = || {
        let (store, alert) = (Opened::clone(&store), std::sync::Arc::clone(&alert));
        tokio::spawn(async move {
            let mut recorded = 0;
            for piece in 0..PIECES {
                let from = 1 + 3 * piece;
                recorded += usize::from(record_more(&store, &alert, from, from + 3).await);
            }
            recorded
        })
    };
    let (one, other) = (finisher(), finisher());
    let both = one.await.expect("done") + other.await.expect("done");
    assert_eq!(both, PIECES);
    assert_eq!(recorded(&store, &alert).await, alert.deliveries);
    assert_eq!(unfinished(&store).await, []);
}

/// A partly recorded notification is not pruned, even if all its recorded deliveries have ended.
pub async fn pruning_keeps_partly_recorded_notifications(store: Opened) {
    let alert = alert(2, "sms", Some("app"), START);
    begin(&store, &alert, 1).await;
    let me = worker();
    let end = async || {
        let wants = [want("sms", Some("app"), 10)];
        let lease = super::fixture::lease(me, at(1));
        let jobs = store.claim_due(&lease, &wants).await.expect("claimed");
        let ends: Vec<_> = jobs
            .iter()
            .map(|job| sent(&job.delivery, "m", at(1)))
            .collect();
        store.settle(me, &ends).await.expect("settled").len()
    };
    assert_eq!(end().await, 1);
    let later = START.plus(Duration::from_secs(86_400));
    assert_eq!(store.prune(later, limit(10)).await.expect("pruned"), 0);
    assert_eq!(unfinished(&store).await.len(), 1);

    assert!(record_more(&store, &alert, 1, 2).await);
    assert_eq!(end().await, 1);
    assert_eq!(store.prune(later, limit(10)).await.expect("pruned"), 1);
}

/// A request that is repeated while its alert is partly recorded returns that alert.
pub async fn equal_request_finds_a_partly_recorded_alert(store: Opened) {
    let idempotency = Idempotency {
        key: "k".into(),
        digest: "d".into(),
    };
    let raise = async |alert: &Alert| {
        let order = Enqueue {
            deliveries: &alert.deliveries[..1],
            unqueued: left(alert, 1),
            idempotency: Some(&idempotency),
            ..alert.unleased()
        };
        store.enqueue(&order).await.expect("enqueued")
    };
    let first = alert(3, "sms", Some("app"), START);
    assert_eq!(raise(&first).await, Enqueued::New);
    let again = raise(&alert(3, "sms", Some("app"), START)).await;
    assert_eq!(
        again,
        Enqueued::Repeat(Box::new(first.notification.clone()))
    );
    assert_eq!(unfinished(&store).await.len(), 1);
    assert_eq!(recorded(&store, &first).await, first.deliveries[..1]);
}

/// An outdated plan leaves no deliveries to be recorded.
pub async fn outdated_plan_leaves_nothing_to_record(store: Opened) {
    let planned_at = Some(store.version().await.expect("read"));
    save(&store, [Entry::Contact(contact("ann", "+447700900001"))]).await;
    let alert = alert(3, "sms", Some("app"), START);
    let order = Enqueue {
        deliveries: &alert.deliveries[..1],
        unqueued: 2,
        planned_at,
        ..alert.unleased()
    };
    let enqueued = store.enqueue(&order).await.expect("answered");
    assert_eq!(enqueued, Enqueued::Outdated);
    assert_eq!(unfinished(&store).await, []);
    assert!(!record_more(&store, &alert, 1, 3).await);
}
