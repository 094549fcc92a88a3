//! Rows that cannot be read, and plans that are read once: the same on both stores.

use std::time::Duration;

use redflash_core::clock::Timestamp;
use redflash_core::conformance::store::{alert_of, sent_of};
use redflash_core::delivery::{Job, Lane, Lease, LeaseToken};
use redflash_core::model::{DeliveryId, NotificationId, WorkerId};
use redflash_core::store::{ClaimRequest, Enqueue, LogFilter, Queue, Store};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Records an alert to so many.
pub(crate) async fn enqueue(store: &impl Store, count: u32) -> NotificationId {
    let (notification, deliveries) = alert_of(count, "sms", NOW);
    let order = Enqueue {
        notification: &notification,
        deliveries: &deliveries,
        lease: None,
        unqueued: 0,
        idempotency: None,
        planned_at: None,
    };
    store.enqueue(&order).await.unwrap();
    notification.id
}

pub(crate) fn lease() -> Lease {
    Lease {
        worker: WorkerId::new(NOW),
        token: LeaseToken::random(),
        now: NOW,
        until: NOW.plus(Duration::from_secs(60)),
    }
}

pub(crate) fn want(limit: u32) -> ClaimRequest {
    ClaimRequest {
        queue: Queue {
            lane: Lane::stored("sms".into()),
            raised_by: None,
        },
        limit: limit.try_into().unwrap(),
    }
}

async fn claim(store: &impl Store, lease: &Lease, limit: u32) -> Vec<Job> {
    store.claim_due(lease, &[want(limit)]).await.unwrap()
}

/// One unreadable row is set aside with the reason, and stops nothing else.
///
/// * `sql` - runs a statement in the store's database, and returns the first column.
pub(crate) async fn is_set_aside(store: &impl Store, sql: impl AsyncFn(&str) -> Vec<String>) {
    let mut alerts = Vec::new();
    for _ in 0..5 {
        alerts.push(enqueue(store, 2).await);
    }
    let first = |alert: usize| DeliveryId::new(alerts[alert], 1);
    for (column, value, alert) in [
        ("price", "much", 0),
        ("endpoint", "x", 2),
        ("id", "no id", 3),
        ("raised_by", "No Slug!", 4),
    ] {
        let id = first(alert);
        sql(&format!(
            "UPDATE deliveries SET {column} = '{value}' WHERE id = '{id}'"
        ))
        .await;
    }
    let plan = format!(
        "UPDATE notifications SET plan = '{{' WHERE id = '{}'",
        alerts[1]
    );
    sql(&plan).await;
    let aside = async || {
        let details = "SELECT detail AS name FROM deliveries WHERE state = 'quarantined'";
        let details = sql(details).await;
        assert!(
            details.iter().all(|why| why.contains("cannot be read")),
            "{details:?}"
        );
        details.len()
    };

    assert_eq!(store.due_queues().await.unwrap().len(), 1);
    assert_eq!(aside().await, 1);
    let lease = lease();
    let jobs = claim(store, &lease, 100).await;
    let claimed: Vec<_> = jobs.iter().map(|job| job.delivery.id).collect();
    let wanted = [0, 2, 3, 4].map(|alert| DeliveryId::new(alerts[alert], 2));
    assert_eq!(claimed, wanted);
    assert_eq!(aside().await, 6);

    let sent = sent_of(&jobs[1].delivery, lease.token, NOW);
    store.settle(lease.worker, &[sent]).await.unwrap();
    for alert in [0, 2] {
        let id = DeliveryId::new(alerts[alert], 2);
        sql(&format!(
            "UPDATE deliveries SET via = '[' WHERE id = '{id}'"
        ))
        .await;
    }
    sql(&format!(
        "UPDATE deliveries SET receipt_due_at = 1 WHERE id = '{}'",
        wanted[1]
    ))
    .await;
    let later = NOW.plus(Duration::from_secs(1000));
    let taken_back = store.requeue_orphans(later, None, &[]).await.unwrap();
    assert_eq!(taken_back.len(), 2);
    assert_eq!(aside().await, 7);
    let many = 100.try_into().unwrap();
    assert_eq!(store.requeue_unconfirmed(later, many).await.unwrap(), 0);
    assert_eq!(aside().await, 8);

    let log = store.log(&LogFilter::newest(many)).await.unwrap();
    let shown: Vec<_> = log.entries.iter().map(|(alert, _)| alert.id).collect();
    assert_eq!(shown, [4, 3, 2, 0].map(|alert| alerts[alert]));
    assert_eq!(store.backlog().await.unwrap().queued, 2);
}

/// The plan of a notification with many recipients is read for the first of its claims alone.
pub(crate) async fn is_not_read_again(store: &impl Store, sql: impl AsyncFn(&str) -> Vec<String>) {
    let alert = enqueue(store, 500).await;
    let lease = lease();
    let first = claim(store, &lease, 10).await;
    sql(&format!(
        "UPDATE notifications SET plan = '{{' WHERE id = '{alert}'"
    ))
    .await;
    for _ in 0..3 {
        let next = claim(store, &lease, 10).await;
        assert_eq!(next.len(), 10);
        assert!(next.iter().all(|job| job.message == first[0].message));
    }
}
