//! Promises of recent counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fixture::{
    Opened, START, TOKEN, alert, at, attempt, claim, enqueue, lease, requeued, sent, slug, worker,
};
use crate::clock::Timestamp;
use crate::delivery::{AttemptOutcome, DeliveryState, Disposition, Settlement};
use crate::store::{OutcomeCount, Recent};

const STEP: Duration = Duration::from_secs(60);

async fn recent(store: &Opened, since: Timestamp) -> Recent {
    store.recent(since, STEP).await.expect("read")
}

/// Deliveries raised since a time are counted by state, and their attempts by gateway, time and
/// outcome.
pub async fn recent_alerts_are_counted(store: Opened) {
    assert_eq!(recent(&store, START).await, Recent::default());
    let minute = START.floor(STEP);
    let first = minute.plus(STEP).plus(Duration::from_secs(10));
    let later = first.plus(Duration::from_secs(50));
    let (me, before) = (worker(), alert(1, "sms", Some("app"), minute));
    enqueue(&store, &before, Some(&lease(me, minute))).await;
    let settlement = sent(&before.deliveries[0], "m", minute);
    store.settle(me, &[settlement]).await.expect("settled");

    let lately = alert(4, "sms", Some("app"), first);
    enqueue(&store, &lately, Some(&lease(me, first))).await;
    let mut through_another = sent(&lately.deliveries[1], "n", later);
    if let Some(attempt) = &mut through_another.attempt {
        attempt.gateway = Some(slug("another"));
    }
    let failed = Settlement {
        delivery: lately.deliveries[2].clone(),
        token: TOKEN,
        attempt: Some(attempt(AttemptOutcome::Permanent, first)),
        next: Disposition::Fail {
            detail: "refused".into(),
        },
        at: START,
    };
    let retry = requeued(&lately.deliveries[3], AttemptOutcome::Retry, first, first);
    let settlements = [
        sent(&lately.deliveries[0], "m", first),
        through_another,
        failed,
        retry,
    ];
    store.settle(me, &settlements).await.expect("settled");
    let again = claim(&store, me, first, 1).await;
    let mut twice = sent(&again[0].delivery, "o", first);
    if let Some(attempt) = &mut twice.attempt {
        attempt.number = 2;
    }
    store.settle(me, &[twice]).await.expect("settled");

    let counted = recent(&store, first).await;
    let states = [(DeliveryState::Sent, 3), (DeliveryState::Failed, 1)];
    assert_eq!(counted.states, BTreeMap::from(states));
    let count = |at, gateway, outcome, count| OutcomeCount {
        gateway: Some(slug(gateway)),
        at,
        outcome,
        count,
    };
    let second = minute.plus(STEP);
    let expected = [
        count(second, "gw", AttemptOutcome::Ok, 2),
        count(second, "gw", AttemptOutcome::Retry, 1),
        count(second, "gw", AttemptOutcome::Permanent, 1),
        count(second.plus(STEP), "another", AttemptOutcome::Ok, 1),
    ];
    assert_eq!(counted.outcomes, expected);
    assert!(!counted.cut);

    let all = recent(&store, minute).await;
    assert_eq!(all.states[&DeliveryState::Sent], 4);
    assert_eq!(all.outcomes[0], count(minute, "gw", AttemptOutcome::Ok, 1));
    assert_eq!(all.outcomes[1..], expected);
    assert_eq!(recent(&store, later).await, Recent::default());
}

/// An attempt that a crash left without a gateway counts as one without a gateway.
pub async fn attempts_cut_off_by_a_crash_are_counted(store: Opened) {
    let alert = alert(1, "sms", Some("app"), START);
    enqueue(&store, &alert, Some(&lease(worker(), START))).await;
    let requeued = store.requeue_orphans(at(600), None, &[]).await;
    assert_eq!(requeued.expect("requeued").len(), 1);
    let counted = recent(&store, START).await;
    assert_eq!(counted.states, BTreeMap::from([(DeliveryState::Queued, 1)]));
    let unknown = OutcomeCount {
        gateway: None,
        at: at(600).floor(STEP),
        outcome: AttemptOutcome::Unknown,
        count: 1,
    };
    assert_eq!(counted.outcomes, [unknown]);
}

/// Only the newest deliveries are counted, and the result is marked as cut.
pub async fn only_the_newest_deliveries_are_counted(store: Opened) {
    let me = worker();
    let old = alert(1, "sms", Some("app"), START);
    enqueue(&store, &old, Some(&lease(me, START))).await;
    let settlement = sent(&old.deliveries[0], "m", START);
    store.settle(me, &[settlement]).await.expect("settled");
    let most = Recent::COUNTED;
    enqueue(&store, &alert(most - 1, "sms", None, at(1)), None).await;
    let counted = recent(&store, START).await;
    let states = [
        (DeliveryState::Queued, u64::from(most) - 1),
        (DeliveryState::Sent, 1),
    ];
    assert_eq!(counted.states, BTreeMap::from(states));
    assert!(!counted.cut);

    enqueue(&store, &alert(1, "sms", None, at(2)), None).await;
    let counted = recent(&store, START).await;
    let states = [(DeliveryState::Queued, u64::from(most))];
    assert_eq!(counted.states, BTreeMap::from(states));
    assert_eq!(counted.outcomes.len(), 1);
    assert!(counted.cut);
    assert!(!recent(&store, at(1)).await.cut);
}

/// Only the newest attempts are counted: of the last delivery, its last ones.
pub async fn only_the_newest_attempts_are_counted(store: Opened) {
    let me = worker();
    let old = alert(1, "sms", Some("app"), START);
    enqueue(&store, &old, Some(&lease(me, START))).await;
    let retry = requeued(&old.deliveries[0], AttemptOutcome::Retry, START, START);
    store.settle(me, &[retry]).await.expect("settled");
    let again = claim(&store, me, START, 1).await;
    let mut settlement = sent(&again[0].delivery, "m", START);
    if let Some(attempt) = &mut settlement.attempt {
        attempt.number = 2;
    }
    store.settle(me, &[settlement]).await.expect("settled");

    let most = Recent::COUNTED;
    let new = alert(most - 1, "sms", None, at(1));
    enqueue(&store, &new, Some(&lease(me, at(1)))).await;
    for some in new.deliveries.chunks(2000) {
        let failed = some.iter().map(|delivery| Settlement {
            delivery: delivery.clone(),
            token: TOKEN,
            attempt: Some(attempt(AttemptOutcome::Permanent, at(1))),
            next: Disposition::Fail {
                detail: "refused".into(),
            },
            at: START,
        });
        let failed: Vec<_> = failed.collect();
        store.settle(me, &failed).await.expect("settled");
    }
    let counted = recent(&store, START).await;
    let outcomes = counted.outcomes.iter();
    let outcomes: Vec<_> = outcomes.map(|count| (count.outcome, count.count)).collect();
    let failed = (AttemptOutcome::Permanent, u64::from(most) - 1);
    assert_eq!(outcomes, [(AttemptOutcome::Ok, 1), failed]);
    assert!(counted.cut);
    assert_eq!(counted.states.values().sum::<u64>(), u64::from(most));
    assert!(!recent(&store, at(1)).await.cut);
}
