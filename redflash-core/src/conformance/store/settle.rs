//! Promises of ending a lease.

use super::fixture::{
    Alert, Opened, START, TOKEN, alert, at, attempt, claim, enqueue, one, record, requeued, sent,
    slug, worker,
};
use crate::delivery::{AttemptOutcome, DeliveryState, Disposition, Settled, Settlement};
use crate::message::Accepted;
use crate::model::WorkerId;

async fn claimed(store: &Opened) -> (Alert, WorkerId) {
    let alert = one(store).await;
    let me = worker();
    assert_eq!(claim(store, me, START, 1).await.len(), 1);
    (alert, me)
}

async fn settle(store: &Opened, me: WorkerId, settlement: Settlement) -> Settled {
    store.settle(me, &[settlement]).await.expect("settled")[0]
}

/// A message that a gateway accepted is sent, with the gateway's answer.
pub async fn success_is_recorded(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let settlement = sent(&alert.deliveries[0], "m1", at(5));
    let logged = settlement.attempt.clone();
    assert_eq!(settle(&store, me, settlement).await, Settled::Recorded);
    let record = record(&store, &alert).await;
    let delivery = &record.delivery;
    assert_eq!(delivery.state, DeliveryState::Sent);
    assert_eq!(delivery.message_id.as_deref(), Some("m1"));
    assert_eq!((delivery.parts, delivery.attempts), (Some(2), 1));
    assert_eq!(delivery.gateway, Some(slug("gw")));
    assert_eq!(
        (delivery.first_attempt_at, delivery.due_at),
        (Some(at(5)), at(6))
    );
    assert_eq!(delivery.detail, "taken");
    assert_eq!(record.attempts_made, logged.into_iter().collect::<Vec<_>>());
}

/// A message whose receiver confirmed it is delivered.
pub async fn arrival_is_recorded(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let settlement = Settlement {
        delivery: alert.deliveries[0].clone(),
        token: TOKEN,
        attempt: Some(attempt(AttemptOutcome::Ok, START)),
        next: Disposition::done(Accepted {
            price: Some("0.0333".parse().expect("a price")),
            ..Accepted::delivered("201")
        }),
        at: START,
    };
    settle(&store, me, settlement).await;
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(
        delivery.price.map(|price| price.to_string()).as_deref(),
        Some("0.0333")
    );
}

/// A message that was not accepted goes back to the queue, due at the time in the settlement.
pub async fn failure_waits_for_its_time(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let delivery = &alert.deliveries[0];
    settle(
        &store,
        me,
        requeued(delivery, AttemptOutcome::Retry, START, at(30)),
    )
    .await;
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(
        (delivery.state, delivery.due_at),
        (DeliveryState::Queued, at(30))
    );
    assert_eq!((delivery.attempts, delivery.may_repeat), (1, false));
    assert_eq!(delivery.detail, "later");
    assert!(claim(&store, me, at(29), 1).await.is_empty());
    let again = claim(&store, me, at(30), 1).await;
    assert_eq!(again[0].delivery.attempts, 1);
    assert_eq!(again[0].delivery.first_attempt_at, Some(START));
}

/// After an unknown outcome every later attempt may be a repeat.
pub async fn unknown_outcome_is_remembered(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let delivery = &alert.deliveries[0];
    settle(
        &store,
        me,
        requeued(delivery, AttemptOutcome::Unknown, START, START),
    )
    .await;
    assert!(claim(&store, me, START, 1).await[0].delivery.may_repeat);
    settle(
        &store,
        me,
        requeued(delivery, AttemptOutcome::Retry, START, START),
    )
    .await;
    let record = record(&store, &alert).await;
    assert!(record.delivery.may_repeat);
    let numbers: Vec<_> = record
        .attempts_made
        .iter()
        .map(|attempt| attempt.number)
        .collect();
    assert_eq!(numbers, [1, 2]);
}

/// A delivery that is given up or cancelled is not claimed again.
pub async fn giving_up_and_cancelling_are_final(store: Opened) {
    let detail = || "for a reason".to_owned();
    let ends = [
        (
            Disposition::Fail { detail: detail() },
            DeliveryState::Failed,
        ),
        (
            Disposition::Cancel { detail: detail() },
            DeliveryState::Cancelled,
        ),
        (
            Disposition::Suppress { detail: detail() },
            DeliveryState::Suppressed,
        ),
        (
            Disposition::Hold { detail: detail() },
            DeliveryState::Quarantined,
        ),
    ];
    for (next, state) in ends {
        let (alert, me) = claimed(&store).await;
        let settlement = Settlement {
            delivery: alert.deliveries[0].clone(),
            token: TOKEN,
            attempt: None,
            next,
            at: START,
        };
        assert_eq!(settle(&store, me, settlement).await, Settled::Recorded);
        let delivery = record(&store, &alert).await.delivery;
        assert_eq!((delivery.state, delivery.detail), (state, detail()));
        assert!(claim(&store, me, at(1_000_000), 1).await.is_empty());
    }
}

/// A delivery that its gateway cannot reach is due at once, and remembers the gateway.
pub async fn unroutable_delivery_tries_another_gateway(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let settlement = Settlement {
        delivery: alert.deliveries[0].clone(),
        token: TOKEN,
        attempt: Some(attempt(AttemptOutcome::Permanent, START)),
        next: Disposition::Elsewhere {
            detail: "no route".into(),
        },
        at: START,
    };
    assert_eq!(settle(&store, me, settlement).await, Settled::Recorded);
    let jobs = claim(&store, me, at(1), 1).await;
    assert_eq!(jobs[0].delivery.refused_by, [slug("gw")]);
    assert_eq!(jobs[0].delivery.detail, "no route");
}

/// A lease that is given back without an attempt leaves the count of attempts as it was.
pub async fn returned_lease_uses_up_no_attempt(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let settlement = Settlement {
        delivery: alert.deliveries[0].clone(),
        token: TOKEN,
        attempt: None,
        next: Disposition::Queue {
            due_at: at(9),
            detail: "the gateway is stopped".into(),
        },
        at: START,
    };
    assert_eq!(settle(&store, me, settlement).await, Settled::Recorded);
    let record = record(&store, &alert).await;
    assert_eq!(
        (record.delivery.attempts, record.delivery.due_at),
        (0, at(9))
    );
    assert!(record.attempts_made.is_empty());
}

/// A settlement after the lease has passed to another worker changes only the log.
pub async fn lost_lease_changes_only_the_log(store: Opened) {
    let (alert, slow) = claimed(&store).await;
    let delivery = &alert.deliveries[0];
    store
        .requeue_orphans(at(60), None, &[])
        .await
        .expect("requeued");
    let quick = worker();
    assert_eq!(claim(&store, quick, at(60), 1).await.len(), 1);
    let late = requeued(delivery, AttemptOutcome::Retry, START, at(5));
    assert_eq!(settle(&store, slow, late).await, Settled::Lost);
    let held = record(&store, &alert).await;
    assert_eq!(held.delivery.state, DeliveryState::Sending);
    assert_eq!(held.attempts_made.len(), 2);
    assert_eq!(
        settle(&store, quick, sent(delivery, "m", at(61))).await,
        Settled::Recorded
    );
    assert_eq!(
        settle(&store, quick, sent(delivery, "x", at(61))).await,
        Settled::Lost
    );
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.message_id.as_deref(), Some("m"));
}

/// A success that comes after the lease ended cancels the waiting repeat.
pub async fn late_success_cancels_the_repeat(store: Opened) {
    let (alert, slow) = claimed(&store).await;
    store
        .requeue_orphans(at(60), None, &[])
        .await
        .expect("requeued");
    let late = sent(&alert.deliveries[0], "m", at(61));
    assert_eq!(settle(&store, slow, late).await, Settled::Late);
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Sent);
    assert!(claim(&store, worker(), at(1000), 1).await.is_empty());
}

/// An outcome is recorded, whatever characters the gateway's answer has.
pub async fn answer_with_odd_characters_is_recorded(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let mut settlement = sent(&alert.deliveries[0], "m\0\u{1f525}", START);
    if let Some(attempt) = &mut settlement.attempt {
        attempt.detail = "taken\0\u{7}\u{202e}'\"".into();
    }
    assert_eq!(settle(&store, me, settlement).await, Settled::Recorded);
    let record = record(&store, &alert).await;
    assert_eq!(record.delivery.state, DeliveryState::Sent);
    assert!(record.attempts_made[0].detail.starts_with("taken"));
}

/// A settlement that is repeated, since its answer was lost, is recorded once.
pub async fn repeated_settlement_changes_nothing(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let failed = requeued(&alert.deliveries[0], AttemptOutcome::Retry, START, at(30));
    for _ in 0..2 {
        assert_eq!(settle(&store, me, failed.clone()).await, Settled::Recorded);
        let record = record(&store, &alert).await;
        assert_eq!(record.attempts_made.len(), 1);
        assert_eq!(record.delivery.due_at, at(30));
    }
}

/// Many settlements at once are answered in their order.
pub async fn many_settlements_are_answered_in_order(store: Opened) {
    let alert = alert(3, "sms", Some("app"), START);
    enqueue(&store, &alert, None).await;
    let me = worker();
    let jobs = claim(&store, me, START, 2).await;
    let mut deliveries: Vec<_> = jobs.into_iter().map(|job| job.delivery).collect();
    let claimed = |id| deliveries.iter().any(|delivery| delivery.id == id);
    let unclaimed = alert.deliveries.iter().find(|d| !claimed(d.id)).cloned();
    deliveries.insert(1, unclaimed.expect("one is left"));
    let settlements: Vec<_> = deliveries
        .iter()
        .map(|delivery| requeued(delivery, AttemptOutcome::Retry, START, at(9)))
        .collect();
    let settled = store.settle(me, &settlements).await.expect("settled");
    assert_eq!(
        settled,
        [Settled::Recorded, Settled::Lost, Settled::Recorded]
    );
}
