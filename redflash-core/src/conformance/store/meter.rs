//! Promises of meters and alarms.

use std::sync::Arc;

use super::fixture::{Opened, START, at, limit};
use crate::store::{Alarm, Allowance, Spent, Window};

fn allowance(meter: &str, window: Window, limit: u32) -> Allowance {
    Allowance {
        meter: meter.into(),
        window,
        limit,
    }
}

async fn spend(store: &Opened, allowances: &[Allowance], seconds: u64) -> Spent {
    store.spend(allowances, at(seconds)).await.expect("counted")
}

/// A meter counts up to its limit. Beyond it, none of the allowances is counted.
pub async fn meter_counts_up_to_its_limit(store: Opened) {
    let both = [
        allowance("b", Window::Hour, 3),
        allowance("a", Window::Day, 2),
    ];
    assert_eq!(spend(&store, &both, 0).await, Spent::Counted(vec![1, 1]));
    assert_eq!(spend(&store, &both, 1).await, Spent::Counted(vec![2, 2]));
    for _ in 0..2 {
        assert_eq!(spend(&store, &both, 2).await, Spent::UsedUp(1));
    }
    assert_eq!(spend(&store, &both[..1], 3).await, Spent::Counted(vec![3]));
    assert_eq!(spend(&store, &[], 3).await, Spent::Counted(vec![]));
}

/// Reading the usage of a window counts nothing.
pub async fn usage_can_be_read(store: Opened) {
    let both = [
        allowance("b", Window::Hour, 3),
        allowance("a", Window::Day, 2),
    ];
    let used = async |seconds| store.used(&both, at(seconds)).await.expect("read");
    assert_eq!(used(0).await, [0, 0]);
    spend(&store, &both, 0).await;
    spend(&store, &both[..1], 1).await;
    for _ in 0..2 {
        assert_eq!(used(2).await, [2, 1]);
    }
    assert_eq!(used(24 * 3600).await, [0, 0]);
}

/// A refund can be spent again.
pub async fn refund_can_be_spent_again(store: Opened) {
    let one = [allowance("a", Window::Hour, 1)];
    store
        .refund(&one, START)
        .await
        .expect("nothing to give back");
    assert_eq!(spend(&store, &one, 0).await, Spent::Counted(vec![1]));
    assert_eq!(spend(&store, &one, 0).await, Spent::UsedUp(0));
    store.refund(&one, START).await.expect("given back");
    assert_eq!(spend(&store, &one, 0).await, Spent::Counted(vec![1]));
}

/// Each hour and each day starts at zero.
pub async fn meters_reset_in_each_window(store: Opened) {
    let hour = [allowance("a", Window::Hour, 1)];
    let day = [allowance("a", Window::Day, 1)];
    for allowances in [&hour, &day] {
        assert_eq!(spend(&store, allowances, 0).await, Spent::Counted(vec![1]));
        assert_eq!(spend(&store, allowances, 1).await, Spent::UsedUp(0));
    }
    let an_hour = 3600;
    assert_eq!(spend(&store, &hour, an_hour).await, Spent::Counted(vec![1]));
    assert_eq!(
        spend(&store, &day, 24 * an_hour).await,
        Spent::Counted(vec![1])
    );
}

/// Of many concurrent requests, exactly as many are counted as the limit allows.
pub async fn concurrent_spending_stops_at_the_limit(store: Opened) {
    let both = [
        allowance("a", Window::Hour, 7),
        allowance("b", Window::Hour, 20),
    ];
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (store, both) = (Arc::clone(&store), both.clone());
            tokio::spawn(async move { spend(&store, &both, 0).await })
        })
        .collect();
    let mut counted = 0;
    for task in tasks {
        let spent = task.await.expect("it does not panic");
        counted += u32::from(matches!(spent, Spent::Counted(_)));
    }
    assert_eq!(counted, 7);
    assert_eq!(spend(&store, &both[1..], 0).await, Spent::Counted(vec![8]));
}

/// An alarm starts once, and ends once.
pub async fn alarm_starts_once_and_ends_once(store: Opened) {
    let alarm = |subject: &str| Alarm {
        subject: subject.into(),
        since: START,
        reason: "wrong password".into(),
        next_try_at: None,
    };
    let start = async |subject| {
        let started = store.start_alarm(&alarm(subject)).await;
        started.expect("noted")
    };
    let end = async |subject| store.end_alarm(subject).await.expect("noted");
    assert!(!end("gateway/a").await);
    assert!(start("gateway/b").await && start("gateway/a").await);
    assert!(!start("gateway/a").await);
    let known = store.alarms().await.expect("it can be read");
    assert_eq!(known, [alarm("gateway/a"), alarm("gateway/b")]);
    assert!(end("gateway/a").await && !end("gateway/a").await);
    assert!(start("gateway/a").await);
}

/// An alarm that is recorded again keeps its beginning and its reason, and updates its next try.
pub async fn alarm_has_the_time_of_the_next_try(store: Opened) {
    let first = Alarm {
        subject: "gateway/a".into(),
        since: START,
        reason: "wrong password".into(),
        next_try_at: Some(at(600)),
    };
    assert!(store.start_alarm(&first).await.expect("noted"));
    let again = Alarm {
        since: at(601),
        reason: "still wrong".into(),
        next_try_at: Some(at(1201)),
        ..first.clone()
    };
    assert!(!store.start_alarm(&again).await.expect("noted"));
    let known = store.alarms().await.expect("it can be read");
    let expected = Alarm {
        next_try_at: again.next_try_at,
        ..first
    };
    assert_eq!(known, [expected]);
}

/// Pruning drops the counts of windows that have ended, and no others.
pub async fn pruning_keeps_counts_of_running_windows(store: Opened) {
    let day = [allowance("a", Window::Day, 1)];
    assert_eq!(spend(&store, &day, 0).await, Spent::Counted(vec![1]));
    let end_of_day = Window::Day.start(START).plus(Window::Day.length());
    let last = end_of_day.minus(std::time::Duration::from_millis(1));
    store.prune(last, limit(10)).await.expect("pruned");
    let spent = store.spend(&day, last).await.expect("counted");
    assert_eq!(spent, Spent::UsedUp(0));
    store.prune(end_of_day, limit(10)).await.expect("pruned");
    let spent = store.spend(&day, last).await.expect("counted");
    assert_eq!(spent, Spent::Counted(vec![1]));
}
