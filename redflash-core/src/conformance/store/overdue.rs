//! Promises of giving up overdue deliveries, and of following a clock that is set.

use super::fixture::{
    Opened, START, alert, at, claim, enqueue, limit, one, record, requeued, sent, worker,
};
use crate::delivery::{AttemptOutcome, DeliveryState, Disposition, Lane};
use crate::model::{ChannelKind, DeliveryId};
use crate::store::{ClockStep, Overdue, StoreError};

async fn give_up(store: &Opened, overdue: Overdue, seconds: u64) -> Vec<DeliveryId> {
    let given_up: Result<_, StoreError> = store.give_up(&[overdue], at(seconds), limit(10)).await;
    let given_up = given_up.expect("given up").into_iter();
    let failed = given_up.filter(|delivery| delivery.state == DeliveryState::Failed);
    failed.map(|delivery| delivery.id).collect()
}

fn attempted(channel: &str, before: u64) -> Overdue {
    Overdue::Attempted {
        channel: ChannelKind::parse(channel).expect("a channel"),
        before: at(before),
    }
}

fn waiting(lane: &str, before: u64) -> Overdue {
    Overdue::Waiting {
        lane: Lane::stored(lane.into()),
        before: at(before),
        why: "waiting for gateway gw".into(),
    }
}

/// A queued delivery with attempts is given up by the time of its first attempt, whenever it is
/// due. It ends when it is given up.
pub async fn attempted_delivery_is_given_up_in_time(store: Opened) {
    let alert = one(&store).await;
    let channel = alert.deliveries[0].channel.clone();
    let me = worker();
    for seconds in [10, 20] {
        assert_eq!(claim(&store, me, at(seconds), 1).await.len(), 1);
        let delivery = record(&store, &alert).await.delivery;
        let later = requeued(&delivery, AttemptOutcome::Retry, at(seconds), at(seconds));
        store.settle(me, &[later]).await.expect("settled");
    }
    let overdue = |before| attempted(channel.as_str(), before);
    assert!(give_up(&store, overdue(10), 70).await.is_empty());
    assert!(give_up(&store, attempted("other", 99), 70).await.is_empty());
    assert!(give_up(&store, waiting("sms", 99), 70).await.is_empty());
    let given_up = give_up(&store, overdue(11), 70).await;
    assert_eq!(given_up, [alert.deliveries[0].id]);
    assert!(give_up(&store, overdue(11), 71).await.is_empty());
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Failed);
    assert_eq!(delivery.ended_at(), Some(at(70)));
    assert_eq!(delivery.detail, "given up after 2 attempts: later");
}

/// A delivery without attempts is given up by the time of its raise, with the reason.
pub async fn unattempted_delivery_is_given_up_in_time(store: Opened) {
    let alert = one(&store).await;
    let lane = alert.deliveries[0].lane.to_string();
    assert!(give_up(&store, waiting(&lane, 0), 70).await.is_empty());
    assert!(give_up(&store, waiting("other", 99), 70).await.is_empty());
    let given_up = give_up(&store, waiting(&lane, 1), 70).await;
    assert_eq!(given_up, [alert.deliveries[0].id]);
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Failed);
    assert_eq!(delivery.ended_at(), Some(at(70)));
    assert_eq!(delivery.detail, "given up: waiting for gateway gw");
}

/// Only queued deliveries are given up, no more at once than the limit.
pub async fn only_queued_deliveries_are_given_up(store: Opened) {
    let alert = alert(5, "sms", Some("app"), START);
    enqueue(&store, &alert, None).await;
    let me = worker();
    let jobs = claim(&store, me, START, 2).await;
    let settled = sent(&jobs[0].delivery, "m", START);
    store.settle(me, &[settled]).await.expect("settled");
    let some = store
        .give_up(&[waiting("sms", 9), attempted("sms", 9)], at(70), limit(2))
        .await;
    assert_eq!(some.expect("given up").len(), 2);
    assert_eq!(give_up(&store, waiting("sms", 9), 70).await.len(), 1);
    assert!(give_up(&store, waiting("sms", 9), 70).await.is_empty());
}

/// A delivery that ends without an attempt ends at the time of that decision.
pub async fn end_without_an_attempt_has_a_time(store: Opened) {
    let alert = one(&store).await;
    let me = worker();
    let jobs = claim(&store, me, START, 1).await;
    let settlement = crate::delivery::Settlement {
        delivery: alert.deliveries[0].clone(),
        token: jobs[0].token,
        attempt: None,
        next: Disposition::Cancel {
            detail: "switched off".into(),
        },
        at: at(40),
    };
    store.settle(me, &[settlement]).await.expect("settled");
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.ended_at(), Some(at(40)));
}

/// Deliveries that are not due yet follow a clock that is set back or forward.
pub async fn future_deliveries_follow_the_clock(store: Opened) {
    for after in [92_800, 100_300] {
        let due = async |seconds| {
            let alert = alert(1, "sms", None, at(seconds));
            enqueue(&store, &alert, None).await;
            alert
        };
        let [later, earlier] = [due(100_030).await, due(90_000).await];
        let due_at = async |alert| record(&store, alert).await.delivery.due_at;
        store
            .follow_clock(&step(after), worker())
            .await
            .expect("moved");
        assert_eq!(due_at(&later).await, at(after + 30));
        assert_eq!(due_at(&earlier).await, at(90_000));
    }
}

/// A worker's own leases follow a clock that is set back or forward, and no other leases do.
pub async fn leases_follow_the_clock_of_their_worker(store: Opened) {
    let (mine, other) = (worker(), worker());
    // Leases of the fixture last a minute.
    for (after, seconds, me, expected) in [
        (100_300, 100_301, mine, 0),
        (100_300, 100_361, mine, 1),
        (100_300, 100_301, other, 1),
        (92_800, 92_861, mine, 1),
        (92_800, 92_861, other, 0),
    ] {
        let alert = alert(1, "sms", Some("app"), at(100_000));
        enqueue(&store, &alert, None).await;
        let jobs = claim(&store, me, at(100_000), 1).await;
        store.follow_clock(&step(after), mine).await.expect("moved");
        let taken_back = store.requeue_orphans(at(seconds), None, &[]).await;
        assert_eq!(
            taken_back.expect("taken back").len(),
            expected,
            "{after} {seconds}"
        );
        store
            .requeue_orphans(at(200_000), None, &[])
            .await
            .expect("all");
        let again = claim(&store, me, at(200_000), 1).await;
        assert_eq!(again[0].delivery.id, jobs[0].delivery.id);
        let done = sent(&again[0].delivery, "m", at(200_000));
        store.settle(me, &[done]).await.expect("settled");
    }
}

/// A clock that is set forward makes no receipt late.
pub async fn receipts_follow_the_clock(store: Opened) {
    let alert = one(&store).await;
    let me = worker();
    assert_eq!(claim(&store, me, START, 1).await.len(), 1);
    let mut settlement = sent(&alert.deliveries[0], "m", at(99_990));
    if let Disposition::Done { receipt_due_at, .. } = &mut settlement.next {
        *receipt_due_at = Some(at(100_200));
    }
    store.settle(me, &[settlement]).await.expect("settled");
    store.follow_clock(&step(100_300), me).await.expect("moved");
    for (seconds, expected) in [(100_499, 0), (100_500, 1)] {
        let missing = store.requeue_unconfirmed(at(seconds), limit(9)).await;
        assert_eq!(missing.expect("looked"), expected, "{seconds}");
    }
}

/// Deliveries that a wrong clock has put years ahead are due now; those of a schedule wait on.
pub async fn deliveries_too_far_ahead_are_brought_forward(store: Opened) {
    let me = worker();
    let (now, latest) = (at(200), at(1_000));
    let mut tried = Vec::new();
    for (first_attempt, due) in [(100, 1_000), (50_000, 50_002)] {
        let alert = one(&store).await;
        let job = claim(&store, me, START, 1).await.remove(0);
        let retry = requeued(
            &job.delivery,
            AttemptOutcome::Retry,
            at(first_attempt),
            at(due),
        );
        store.settle(me, &[retry]).await.expect("settled");
        tried.push(alert);
    }
    let unconfirmed = one(&store).await;
    claim(&store, me, START, 1).await;
    let mut settlement = sent(&unconfirmed.deliveries[0], "m", at(50_000));
    if let Disposition::Done { receipt_due_at, .. } = &mut settlement.next {
        *receipt_due_at = Some(at(50_600));
    }
    store.settle(me, &[settlement]).await.expect("settled");

    let moved = store.bring_forward(now, latest).await.expect("moved");
    assert_eq!(moved, 2);
    let times = async |alert| {
        let delivery = record(&store, alert).await.delivery;
        (delivery.first_attempt_at, delivery.due_at)
    };
    assert_eq!(times(&tried[0]).await, (Some(at(100)), at(1_000)));
    assert_eq!(times(&tried[1]).await, (Some(now), now));
    let missing = store.requeue_unconfirmed(now, limit(9)).await;
    assert_eq!(missing.expect("looked"), 1);
    let again = store.bring_forward(now, latest).await.expect("moved");
    assert_eq!(again, 0);
}

/// Returns the step of a clock that showed second 100,000 and was set.
fn step(after: u64) -> ClockStep {
    ClockStep {
        before: at(100_000),
        after: at(after),
    }
}

/// Queued deliveries are counted for each lane.
pub async fn queued_deliveries_are_counted_by_lane(store: Opened) {
    for (count, lane) in [(3, "sms"), (2, "webhook:a.example"), (1, "sms")] {
        enqueue(&store, &alert(count, lane, Some("app"), START), None).await;
    }
    claim(&store, worker(), START, 1).await;
    let waiting = store.waiting().await.expect("counted");
    let total: u64 = waiting.iter().map(|(_, count)| count).sum();
    assert_eq!((waiting.len(), total), (2, 5));
    assert_eq!(waiting[1].0.as_str(), "webhook:a.example");
}
