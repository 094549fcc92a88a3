//! Promises of recording alerts.

use std::time::Duration;

use super::fixture::{
    Alert, Opened, START, alert, claim, contact, enqueue, lease, limit, one, record, save, slug,
    worker,
};
use crate::clock::Timestamp;
use crate::delivery::DeliveryState;
use crate::message::Idempotency;
use crate::model::Address;
use crate::store::{Enqueue, Enqueued, Entry, LogFilter, Outbox};

/// A notification reads back with its plan and its deliveries in the order of the plan.
pub async fn enqueued_notification_reads_back(store: Opened) {
    let alert = alert(3, "sms", Some("app"), START);
    enqueue(&store, &alert, None).await;
    let found = Outbox::notification(&*store, alert.notification.id)
        .await
        .expect("read");
    let (notification, records) = found.expect("a notification");
    assert_eq!(notification, alert.notification);
    let deliveries: Vec<_> = records
        .iter()
        .map(|record| record.delivery.clone())
        .collect();
    assert_eq!(deliveries, alert.deliveries);
    assert!(records.iter().all(|record| record.attempts_made.is_empty()));
    let unknown = crate::model::NotificationId::new(START);
    assert_eq!(
        Outbox::notification(&*store, unknown).await.expect("read"),
        None
    );
    assert_eq!(
        record(&store, &one(&store).await).await.delivery.state,
        DeliveryState::Queued
    );
}

/// The arguments of an event are stored with its notification and come with each claimed delivery.
pub async fn arguments_are_stored_once_and_claimed(store: Opened) {
    let mut event = alert(2, "sms", Some("app"), START);
    let arguments = serde_json::json!({
        "host": "db1", "odd \u{1f525} \\ \" '": [1, 2.5, null, {"a": ""}],
        "long": "x".repeat(60_000),
    });
    event.notification.arguments = arguments.as_object().cloned();
    enqueue(&store, &event, None).await;
    let text = alert(1, "sms", Some("app"), START);
    enqueue(&store, &text, None).await;
    for alert in [&event, &text] {
        let found = Outbox::notification(&*store, alert.notification.id).await;
        let (notification, _) = found.expect("read").expect("a notification");
        assert_eq!(notification.arguments, alert.notification.arguments);
    }
    let page = store.log(&LogFilter::newest(limit(10))).await;
    let entries = page.expect("read").entries;
    let logged = |id| entries.iter().find(|(one, _)| one.id == id);
    for alert in [&event, &text] {
        let (notification, _) = logged(alert.notification.id).expect("in the log");
        assert_eq!(notification.arguments, alert.notification.arguments);
    }
    let jobs = claim(&store, worker(), START, 10).await;
    assert_eq!(jobs.len(), 3);
    for job in jobs {
        let is_event = job.delivery.notification == event.notification.id;
        let expected = arguments.as_object().filter(|_| is_event);
        assert_eq!(job.arguments.as_deref(), expected);
    }
}

/// An address reads back in full, including a password that is never shown.
pub async fn address_reads_back_with_its_password(store: Opened) {
    let address = Address::new("https://me:canary@hooks.example.org/a").expect("an address");
    let mut ann = contact("ann", "+447700900001");
    ann.endpoints[0].address = address.clone();
    save(&store, [Entry::Contact(ann)]).await;
    let ann = store.contact(&slug("ann")).await.expect("read");
    assert_eq!(ann.expect("a contact").endpoints[0].address, address);
    let mut alert = alert(1, "sms", Some("app"), START);
    alert.deliveries[0].address = address.clone();
    enqueue(&store, &alert, None).await;
    let jobs = claim(&store, worker(), START, 10).await;
    assert_eq!(jobs[0].delivery.address, address);
    let found = record(&store, &alert).await;
    assert_eq!(found.delivery.address, address);
}

async fn raise(
    store: &Opened,
    by: Option<&str>,
    key: &str,
    digest: &str,
    now: Timestamp,
) -> (Alert, Enqueued) {
    let alert = alert(1, "sms", by, now);
    let idempotency = Idempotency {
        key: key.to_owned(),
        digest: digest.to_owned(),
    };
    let enqueue = Enqueue {
        idempotency: Some(&idempotency),
        ..alert.unleased()
    };
    let enqueued = store.enqueue(&enqueue).await.expect("enqueued");
    (alert, enqueued)
}

async fn recorded(store: &Opened) -> usize {
    let all = LogFilter::newest(limit(1000));
    store.log(&all).await.expect("read").entries.len()
}

/// A request with a known key adds nothing and returns the earlier notification; a different
/// request is a mismatch.
pub async fn equal_requests_are_recorded_once(store: Opened) {
    let (first, enqueued) = raise(&store, Some("app"), "k", "d", START).await;
    assert_eq!(enqueued, Enqueued::New);
    let (_, again) = raise(&store, Some("app"), "k", "d", START).await;
    assert_eq!(again, Enqueued::Repeat(Box::new(first.notification)));
    let (_, other) = raise(&store, Some("app"), "k", "other", START).await;
    assert_eq!(other, Enqueued::Mismatch);
    assert_eq!(recorded(&store).await, 1);
}

/// An idempotency key is found by the same rules by which it is stored.
pub async fn idempotency_key_is_found_without_recording(store: Opened) {
    let (first, _) = raise(&store, Some("app"), "k", "d", START).await;
    let later = START.plus(Idempotency::RETENTION);
    let just_before = later.minus(Duration::from_millis(1));
    let repeat = || Some(Enqueued::Repeat(Box::new(first.notification.clone())));
    for (by, key, digest, now, wanted) in [
        (Some("app"), "k", "d", START, repeat()),
        (Some("app"), "k", "d", just_before, repeat()),
        (Some("app"), "k", "other", START, Some(Enqueued::Mismatch)),
        (Some("other"), "k", "d", START, None),
        (None, "k", "d", START, None),
        (Some("app"), "other", "d", START, None),
        (Some("app"), "k", "d", later, None),
    ] {
        let by = by.map(slug);
        let idempotency = Idempotency {
            key: key.to_owned(),
            digest: digest.to_owned(),
        };
        let found = store.find_repeat(by.as_ref(), &idempotency, now).await;
        assert_eq!(found.expect("looked up"), wanted, "{by:?} {key} {digest}");
    }
    assert_eq!(recorded(&store).await, 1);
}

/// The same idempotency key under another API key, or none, is a different one.
pub async fn idempotency_keys_belong_to_an_api_key(store: Opened) {
    for by in [Some("app"), Some("other"), None] {
        assert_eq!(raise(&store, by, "k", "d", START).await.1, Enqueued::New);
        assert!(matches!(
            raise(&store, by, "k", "d", START).await.1,
            Enqueued::Repeat(_)
        ));
    }
    assert_eq!(
        raise(&store, Some("app"), "k2", "d", START).await.1,
        Enqueued::New
    );
}

/// An idempotency key can be reused after a day.
pub async fn idempotency_keys_are_forgotten_after_a_day(store: Opened) {
    let later = START.plus(Idempotency::RETENTION);
    let just_before = later.minus(Duration::from_millis(1));
    assert_eq!(raise(&store, None, "k", "d", START).await.1, Enqueued::New);
    assert_eq!(
        raise(&store, None, "k", "x", just_before).await.1,
        Enqueued::Mismatch
    );
    assert_eq!(raise(&store, None, "k", "x", later).await.1, Enqueued::New);
    assert_eq!(
        raise(&store, None, "k", "d", later).await.1,
        Enqueued::Mismatch
    );
}

/// Of fifty equal requests at once, exactly one is recorded, and all return it.
pub async fn one_of_many_equal_requests_is_new(store: Opened) {
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = Opened::clone(&store);
            tokio::spawn(async move { raise(&store, Some("app"), "k", "d", START).await })
        })
        .collect();
    let mut new = Vec::new();
    let mut repeated = Vec::new();
    for task in tasks {
        match task.await.expect("raised") {
            (alert, Enqueued::New) => new.push(alert.notification.id),
            (_, Enqueued::Repeat(earlier)) => repeated.push(earlier.id),
            (_, other) => panic!("an equal request was taken for another: {other:?}"),
        }
    }
    assert_eq!((new.len(), repeated.len()), (1, 49));
    assert!(repeated.iter().all(|id| *id == new[0]));
    assert_eq!(recorded(&store).await, 1);
}

/// A plan from before a change of the directory is not recorded, so that it can be made again.
pub async fn outdated_plan_is_not_recorded(store: Opened) {
    let planned_at = Some(store.version().await.expect("read"));
    let alert = alert(1, "sms", Some("app"), START);
    let order = Enqueue {
        planned_at,
        ..alert.unleased()
    };
    save(&store, [Entry::Contact(contact("ann", "+447700900001"))]).await;
    let enqueued = store.enqueue(&order).await.expect("answered");
    assert_eq!(enqueued, Enqueued::Outdated);
    assert_eq!(recorded(&store).await, 0);
    let order = Enqueue {
        planned_at: Some(store.version().await.expect("read")),
        ..order
    };
    assert_eq!(
        store.enqueue(&order).await.expect("enqueued"),
        Enqueued::New
    );
    assert_eq!(recorded(&store).await, 1);
}

/// Only deliveries in state `Sending` are leased at birth; the others of their notification wait.
pub async fn some_deliveries_are_leased_at_birth(store: Opened) {
    let mut alert = alert(3, "sms", Some("app"), START);
    alert.deliveries[1].state = DeliveryState::Sending;
    let me = worker();
    let lease = lease(me, START);
    let order = Enqueue {
        lease: Some(&lease),
        ..alert.unleased()
    };
    assert_eq!(
        store.enqueue(&order).await.expect("enqueued"),
        Enqueued::New
    );
    let claimed = super::fixture::claim(&store, worker(), START, 10).await;
    let mut places: Vec<_> = claimed.iter().map(|job| job.delivery.id.place()).collect();
    places.sort_unstable();
    assert_eq!(places, [1, 3]);
    let settlement = super::fixture::sent(&alert.deliveries[1], "m", START);
    let settled = store.settle(me, &[settlement]).await.expect("settled");
    assert_eq!(settled, [crate::delivery::Settled::Recorded]);
}
