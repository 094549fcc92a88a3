//! Promises of the log, and of pruning.

use super::fixture::{
    Opened, START, TOKEN, alert, at, claim, enqueue, limit, one, sent, slug, worker,
};
use crate::delivery::{DeliveryState, Disposition, Settlement};
use crate::model::{DeliveryId, NotificationId};
use crate::store::LogFilter;

fn all() -> LogFilter {
    LogFilter::newest(limit(100))
}

async fn ids(store: &Opened, filter: LogFilter) -> Vec<NotificationId> {
    let log = store.log(&filter).await.expect("read");
    log.entries
        .into_iter()
        .map(|(notification, _)| notification.id)
        .collect()
}

async fn fail_one(store: &Opened) -> NotificationId {
    let alert = one(store).await;
    let me = worker();
    let claimed = claim(store, me, START, 1).await;
    assert_eq!(claimed[0].delivery.id, alert.deliveries[0].id);
    let next = Disposition::Fail {
        detail: "refused".into(),
    };
    let settlement = Settlement {
        delivery: alert.deliveries[0].clone(),
        token: TOKEN,
        attempt: None,
        next,
        at: START,
    };
    store.settle(me, &[settlement]).await.expect("settled");
    alert.notification.id
}

/// Failed deliveries go back to the queue when they are resent; the others stay.
pub async fn failed_deliveries_can_be_resent(store: Opened) {
    let id = fail_one(&store).await;
    assert_eq!(store.resend(id, None, at(50)).await.expect("resent"), 1);
    assert_eq!(store.resend(id, None, at(50)).await.expect("resent"), 0);
    assert!(claim(&store, worker(), at(49), 1).await.is_empty());
    assert_eq!(claim(&store, worker(), at(50), 1).await.len(), 1);
    let unknown = NotificationId::new(START);
    assert_eq!(
        store.resend(unknown, None, at(50)).await.expect("resent"),
        0
    );
}

/// One delivery of a notification is resent without its other failed ones.
pub async fn one_delivery_can_be_resent_alone(store: Opened) {
    let alert = alert(2, "sms", Some("app"), START);
    enqueue(&store, &alert, None).await;
    let me = worker();
    claim(&store, me, START, 2).await;
    let failed = alert.deliveries.iter().map(|delivery| Settlement {
        delivery: delivery.clone(),
        token: TOKEN,
        attempt: None,
        next: Disposition::Fail {
            detail: "refused".into(),
        },
        at: START,
    });
    let failed: Vec<_> = failed.collect();
    store.settle(me, &failed).await.expect("settled");
    let (id, second) = (alert.notification.id, alert.deliveries[1].id);
    let resend = async |id, only| store.resend(id, Some(only), at(50)).await.expect("resent");
    let elsewhere = NotificationId::new(START);
    assert_eq!(resend(elsewhere, second).await, 0);
    assert_eq!(resend(id, DeliveryId::new(elsewhere, 1)).await, 0);
    assert_eq!(resend(id, second).await, 1);
    assert_eq!(resend(id, second).await, 0);
    let claimed = claim(&store, me, at(50), 2).await;
    let ids: Vec<_> = claimed.iter().map(|job| job.delivery.id).collect();
    assert_eq!(ids, [second]);
}

/// The log is newest first, and each page continues where the last one ended.
pub async fn log_is_newest_first_and_paged(store: Opened) {
    let mut expected = Vec::new();
    for seconds in 0..5 {
        let alert = alert(2, "sms", None, at(seconds));
        enqueue(&store, &alert, None).await;
        expected.insert(0, alert.notification.id);
    }
    assert_eq!(ids(&store, all()).await, expected);
    let page = |before| LogFilter {
        before,
        limit: limit(2),
        ..all()
    };
    let first = ids(&store, page(None)).await;
    assert_eq!(first, expected[..2]);
    assert_eq!(
        ids(&store, page(first.last().copied())).await,
        expected[2..4]
    );
    let log = store.log(&page(None)).await.expect("read");
    let contacts: Vec<_> = log.entries[0]
        .1
        .iter()
        .map(|delivery| delivery.contact.as_str())
        .collect();
    assert_eq!(contacts, ["c0", "c1"]);
}

/// The log is filtered by state, contact and age.
pub async fn log_is_filtered(store: Opened) {
    let failed = fail_one(&store).await;
    let large = alert(3, "sms", None, at(10));
    enqueue(&store, &large, None).await;
    let large = large.notification.id;
    let state = |state| LogFilter {
        state: Some(state),
        ..all()
    };
    assert_eq!(ids(&store, state(DeliveryState::Failed)).await, [failed]);
    assert_eq!(ids(&store, state(DeliveryState::Queued)).await, [large]);
    assert_eq!(ids(&store, state(DeliveryState::Sent)).await, []);
    let contact = |contact| LogFilter {
        contact: Some(slug(contact)),
        ..all()
    };
    assert_eq!(ids(&store, contact("c2")).await, [large]);
    assert_eq!(ids(&store, contact("c0")).await, [large, failed]);
    let since = |since| LogFilter {
        since: Some(since),
        ..all()
    };
    assert_eq!(ids(&store, since(at(10))).await, [large]);
    assert_eq!(ids(&store, since(at(11))).await, []);
}

/// The backlog counts queued deliveries and those in flight.
pub async fn backlog_counts_waiting_deliveries(store: Opened) {
    enqueue(&store, &alert(3, "sms", Some("app"), at(7)), None).await;
    fail_one(&store).await;
    claim(&store, worker(), at(7), 1).await;
    let backlog = store.backlog().await.expect("read");
    assert_eq!((backlog.queued, backlog.sending), (2, 1));
    assert_eq!(backlog.oldest_due, Some(at(7)));
}

/// Pruning removes finished old notifications, up to the limit, and nothing else.
pub async fn pruning_keeps_unfinished_notifications(store: Opened) {
    let waiting = one(&store).await;
    let me = worker();
    claim(&store, me, START, 1).await;
    let old = [
        fail_one(&store).await,
        fail_one(&store).await,
        fail_one(&store).await,
    ];
    assert_eq!(store.prune(START, limit(10)).await.expect("pruned"), 0);
    assert_eq!(store.prune(at(1), limit(2)).await.expect("pruned"), 2);
    assert_eq!(store.prune(at(1), limit(10)).await.expect("pruned"), 1);
    assert_eq!(store.prune(at(1), limit(10)).await.expect("pruned"), 0);
    assert_eq!(ids(&store, all()).await, [waiting.notification.id]);
    assert!(!ids(&store, all()).await.contains(&old[0]));
    let settlement = sent(&waiting.deliveries[0], "m", START);
    store.settle(me, &[settlement]).await.expect("settled");
    assert_eq!(store.prune(at(1), limit(10)).await.expect("pruned"), 1);
    assert_eq!(ids(&store, all()).await, []);
}

/// A probe is a commit like any other.
pub async fn probe_commits(store: Opened) {
    store.probe(START).await.expect("a store that works");
    store.probe(at(1)).await.expect("a store that works");
}
