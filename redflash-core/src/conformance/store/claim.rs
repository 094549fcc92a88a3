//! Promises of leasing deliveries.

use std::collections::HashSet;

use super::fixture::{
    Opened, START, alert, at, claim, enqueue, lease, one, record, requeued, want, worker,
};
use crate::delivery::{AttemptOutcome, DeliveryState};
use crate::store::{DueQueue, MAX_CLAIMS};

/// Concurrent workers never claim the same delivery, and together claim all.
pub async fn claims_are_exclusive(store: Opened) {
    let alert = alert(400, "sms", Some("app"), START);
    enqueue(&store, &alert, None).await;
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let store = Opened::clone(&store);
            tokio::spawn(async move {
                let worker = worker();
                let mut mine = Vec::new();
                loop {
                    let jobs = claim(&store, worker, START, 13).await;
                    assert!(jobs.len() <= 13);
                    if jobs.is_empty() {
                        return mine;
                    }
                    mine.extend(jobs.into_iter().map(|job| job.delivery.id));
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.expect("claimed"));
    }
    assert_eq!(all.len(), 400);
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 400);
}

/// Only due deliveries are claimed, earliest first, and no more than the limit.
pub async fn claims_respect_time_order_and_limit(store: Opened) {
    let alerts: Vec<_> = [30, 10, 20]
        .map(|s| alert(1, "sms", Some("app"), at(s)))
        .into();
    for alert in &alerts {
        enqueue(&store, alert, None).await;
    }
    let me = worker();
    assert!(claim(&store, me, at(9), 10).await.is_empty());
    let first = claim(&store, me, at(25), 1).await;
    assert_eq!(first[0].delivery.id, alerts[1].deliveries[0].id);
    let rest = claim(&store, me, at(25), 10).await;
    assert_eq!(rest.len(), 1);
    let job = &rest[0];
    assert_eq!(job.delivery.id, alerts[2].deliveries[0].id);
    assert_eq!(job.delivery.state, DeliveryState::Sending);
    assert_eq!(*job.message, alerts[2].notification.plan.message);
    assert_eq!(job.target, *alerts[2].notification.target());
    assert_eq!(
        (job.raised_at, job.raised_by.as_ref()),
        (at(20), Some(&super::fixture::slug("app")))
    );
}

/// A claim takes only from the queues it names.
pub async fn claims_respect_their_queue(store: Opened) {
    for (lane, key) in [("sms", Some("app")), ("sms", None), ("email", Some("app"))] {
        enqueue(&store, &alert(2, lane, key, START), None).await;
    }
    let wants = [want("sms", None, 5), want("email", Some("app"), 1)];
    let jobs = store
        .claim_due(&lease(worker(), START), &wants)
        .await
        .expect("claimed");
    let mut lanes: Vec<_> = jobs
        .iter()
        .map(|j| (j.delivery.lane.as_str(), j.raised_by.is_some()))
        .collect();
    lanes.sort_unstable();
    assert_eq!(lanes, [("email", true), ("sms", false), ("sms", false)]);
}

/// Every queue with waiting deliveries is listed with the time of its first one, even in the
/// future.
pub async fn due_queues_have_their_earliest_time(store: Opened) {
    assert_eq!(store.due_queues().await.expect("read"), []);
    for (lane, key, seconds) in [
        ("sms", Some("app"), 30),
        ("sms", Some("app"), 20),
        ("sms", None, 5),
        ("webhook:a:80", Some("app"), 7),
    ] {
        enqueue(&store, &alert(2, lane, key, at(seconds)), None).await;
    }
    let mut due = store.due_queues().await.expect("read");
    due.sort_by_key(|due| due.due_at);
    let expected = [
        ("sms", None, 5),
        ("webhook:a:80", Some("app"), 7),
        ("sms", Some("app"), 20),
    ];
    let expected = expected.map(|(lane, key, seconds)| DueQueue {
        queue: want(lane, key, 1).queue,
        due_at: at(seconds),
    });
    assert_eq!(due, expected);
    claim(&store, worker(), at(60), 100).await;
    assert_eq!(store.due_queues().await.expect("read").len(), 2);
}

/// A delivery that is enqueued with a lease belongs to its holder from the beginning.
pub async fn delivery_leased_at_birth_is_not_claimed(store: Opened) {
    let me = worker();
    let alert = alert(1, "sms", Some("app"), START);
    enqueue(&store, &alert, Some(&lease(me, START))).await;
    assert_eq!(
        record(&store, &alert).await.delivery.state,
        DeliveryState::Sending
    );
    assert!(claim(&store, worker(), START, 10).await.is_empty());
    assert_eq!(store.due_queues().await.expect("read"), []);
    let settlement = super::fixture::sent(&alert.deliveries[0], "m", START);
    let settled = store.settle(me, &[settlement]).await.expect("settled");
    assert_eq!(settled, [crate::delivery::Settled::Recorded]);
}

/// A delivery whose lease ends without an outcome is due again, with the reason in its log.
pub async fn expired_lease_returns_the_delivery(store: Opened) {
    let alert = one(&store).await;
    claim(&store, worker(), START, 1).await;
    let orphans = async |seconds| {
        let orphans = store.requeue_orphans(at(seconds), None, &[]).await;
        orphans.expect("requeued")
    };
    assert_eq!(orphans(59).await, []);
    let taken_back = orphans(60).await;
    let record = record(&store, &alert).await;
    assert_eq!(taken_back, std::slice::from_ref(&record.delivery));
    assert_eq!(record.delivery.state, DeliveryState::Queued);
    assert_eq!(
        (record.delivery.due_at, record.delivery.attempts),
        (at(60), 1)
    );
    assert!(record.delivery.may_repeat);
    assert_eq!(record.attempts_made.len(), 1);
    assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Unknown);
    assert_eq!(claim(&store, worker(), at(60), 1).await.len(), 1);
}

/// With `except`, all leases but those of that worker end at once.
pub async fn leases_of_other_workers_are_taken_back(store: Opened) {
    let (mine, other) = (one(&store).await, one(&store).await);
    let me = worker();
    assert_eq!(
        claim(&store, me, START, 1).await[0].delivery.id,
        mine.deliveries[0].id
    );
    assert_eq!(claim(&store, worker(), START, 1).await.len(), 1);
    let orphans = store.requeue_orphans(START, Some(me), &[]).await;
    let orphans = orphans.expect("requeued");
    assert_eq!(orphans.len(), 1);
    assert_eq!(orphans[0].id, other.deliveries[0].id);
    assert_eq!(
        record(&store, &mine).await.delivery.state,
        DeliveryState::Sending
    );
    assert_eq!(
        record(&store, &other).await.delivery.state,
        DeliveryState::Queued
    );
}

/// A delivery that is leased repeatedly without any outcome is set aside. An outcome resets the
/// count.
pub async fn delivery_without_any_outcome_is_quarantined(store: Opened) {
    let alert = one(&store).await;
    let me = worker();
    let mut now = 0;
    let mut lose = async || {
        assert_eq!(claim(&store, me, at(now), 1).await.len(), 1);
        now += 60;
        let orphans = store.requeue_orphans(at(now), None, &[]).await;
        let delivery = record(&store, &alert).await.delivery;
        let orphans = orphans.expect("requeued");
        assert_eq!(orphans, std::slice::from_ref(&delivery));
        delivery.state
    };
    for _ in 1..MAX_CLAIMS {
        assert_eq!(lose().await, DeliveryState::Queued);
    }
    let again = at(60 * u64::from(MAX_CLAIMS));
    claim(&store, me, again, 1).await;
    let settlement = requeued(&alert.deliveries[0], AttemptOutcome::Retry, START, START);
    store.settle(me, &[settlement]).await.expect("settled");
    for _ in 1..MAX_CLAIMS {
        assert_eq!(lose().await, DeliveryState::Queued);
    }
    assert_eq!(lose().await, DeliveryState::Quarantined);
    assert_eq!(store.due_queues().await.expect("read"), []);
}
