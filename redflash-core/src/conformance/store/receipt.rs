//! Promises of receipts.

use super::fixture::{
    Alert, Opened, START, TOKEN, at, attempt, claim, limit, one, record, requeued, sent, slug,
    worker,
};
use crate::delivery::{
    Attempt, AttemptOutcome, DeliveryState, Disposition, Receipt, ReceiptState, Settlement,
};
use crate::model::WorkerId;
use crate::store::ReceiptEffect;

fn receipt(state: ReceiptState) -> Receipt {
    Receipt {
        message_id: None,
        delivery: None,
        state,
        of_part: false,
        price: None,
        detail: "as the network says".into(),
    }
}

fn of(alert: &Alert, state: ReceiptState) -> Receipt {
    Receipt {
        delivery: Some(alert.deliveries[0].id),
        ..receipt(state)
    }
}

async fn receive(store: &Opened, gateway: &str, receipt: &Receipt) -> ReceiptEffect {
    store
        .record_receipt(&slug(gateway), receipt, at(100))
        .await
        .expect("recorded")
}

async fn claimed(store: &Opened) -> (Alert, WorkerId) {
    let alert = one(store).await;
    let me = worker();
    claim(store, me, START, 1).await;
    (alert, me)
}

async fn delivered(store: &Opened) -> Alert {
    delivered_in(store, 2).await
}

async fn delivered_in(store: &Opened, count: u32) -> Alert {
    let (alert, me) = claimed(store).await;
    let mut settlement = sent(&alert.deliveries[0], "m", START);
    if let Disposition::Done { accepted, .. } = &mut settlement.next {
        accepted.parts = count;
    }
    store.settle(me, &[settlement]).await.expect("settled");
    alert
}

/// Receipts move a delivery forward, never back; repeated ones change nothing.
pub async fn receipt_only_moves_a_delivery_forward(store: Opened) {
    let alert = delivered_in(&store, 1).await;
    let id = alert.deliveries[0].id;
    let pending = of(&alert, ReceiptState::Pending);
    assert_eq!(
        receive(&store, "gw", &pending).await,
        ReceiptEffect::Known(id)
    );
    let mut failed = of(&alert, ReceiptState::Failed);
    failed.price = Some("0.05".parse().expect("a price"));
    assert_eq!(
        receive(&store, "gw", &failed).await,
        ReceiptEffect::Applied(id)
    );
    assert_eq!(
        receive(&store, "gw", &failed).await,
        ReceiptEffect::Known(id)
    );
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Failed);
    assert_eq!(
        delivery.price.map(|price| price.to_string()).as_deref(),
        Some("0.05")
    );
    let mut arrived = of(&alert, ReceiptState::Delivered);
    arrived.price = Some("0.06".parse().expect("a price"));
    assert_eq!(
        receive(&store, "gw", &arrived).await,
        ReceiptEffect::Applied(id)
    );
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(
        delivery.price.map(|price| price.to_string()).as_deref(),
        Some("0.06")
    );
    failed.price = None;
    for later in [pending, failed, arrived] {
        assert_eq!(
            receive(&store, "gw", &later).await,
            ReceiptEffect::Known(id)
        );
    }
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(delivery.detail, "as the network says");
}

/// A receipt that comes before the outcome is recorded applies once it is.
pub async fn receipt_may_precede_the_outcome(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let arrived = of(&alert, ReceiptState::Delivered);
    receive(&store, "gw", &arrived).await;
    let settlement = sent(&alert.deliveries[0], "m", START);
    store.settle(me, &[settlement]).await.expect("settled");
    assert_eq!(
        record(&store, &alert).await.delivery.state,
        DeliveryState::Delivered
    );
}

/// A receipt without our reference is matched by the gateway's id, even before that is known.
pub async fn receipt_may_have_only_the_gateways_id(store: Opened) {
    let mut arrived = receipt(ReceiptState::Delivered);
    arrived.message_id = Some("m".into());
    let alert = delivered(&store).await;
    let id = alert.deliveries[0].id;
    assert_eq!(
        receive(&store, "gw", &arrived).await,
        ReceiptEffect::Applied(id)
    );

    let (early, me) = claimed(&store).await;
    arrived.message_id = Some("m2".into());
    assert_eq!(
        receive(&store, "gw", &arrived).await,
        ReceiptEffect::Unmatched
    );
    let settlement = sent(&early.deliveries[0], "m2", START);
    store.settle(me, &[settlement]).await.expect("settled");
    assert_eq!(
        record(&store, &early).await.delivery.state,
        DeliveryState::Delivered
    );
}

/// A receipt is bound to the gateway that sent the message.
pub async fn receipt_of_another_gateway_changes_nothing(store: Opened) {
    let alert = delivered(&store).await;
    let mut arrived = of(&alert, ReceiptState::Delivered);
    assert_eq!(
        receive(&store, "other", &arrived).await,
        ReceiptEffect::Unmatched
    );
    arrived.delivery = None;
    arrived.message_id = Some("m".into());
    assert_eq!(
        receive(&store, "other", &arrived).await,
        ReceiptEffect::Unmatched
    );
    arrived.delivery = Some(crate::model::DeliveryId::new(
        crate::model::NotificationId::new(START),
        1,
    ));
    assert_eq!(
        receive(&store, "gw", &arrived).await,
        ReceiptEffect::Unmatched
    );
    assert_eq!(
        record(&store, &alert).await.delivery.state,
        DeliveryState::Sent
    );
}

/// A good receipt after an unknown outcome cancels the waiting repeat.
pub async fn receipt_cancels_the_repeat(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let id = alert.deliveries[0].id;
    let settlement = requeued(&alert.deliveries[0], AttemptOutcome::Unknown, START, at(30));
    store.settle(me, &[settlement]).await.expect("settled");
    let arrived = of(&alert, ReceiptState::Delivered);
    assert_eq!(
        receive(&store, "gw", &arrived).await,
        ReceiptEffect::Applied(id)
    );
    assert!(claim(&store, me, at(60), 1).await.is_empty());
    assert_eq!(
        record(&store, &alert).await.delivery.state,
        DeliveryState::Delivered
    );
}

/// A message in parts has arrived when all its parts have, whatever is repeated. Without a receipt
/// for one of them it has not.
pub async fn message_arrives_when_all_its_parts_have(store: Opened) {
    let alert = delivered(&store).await;
    let id = alert.deliveries[0].id;
    let part = |message_id: &str| Receipt {
        message_id: Some(message_id.into()),
        of_part: true,
        ..of(&alert, ReceiptState::Delivered)
    };
    let state = async || record(&store, &alert).await.delivery.state;
    let applied = ReceiptEffect::Applied(id);
    assert_eq!(receive(&store, "gw", &part("p2")).await, applied);
    let again = receive(&store, "gw", &part("p2")).await;
    assert_eq!(again, ReceiptEffect::Known(id));
    assert_eq!(state().await, DeliveryState::Sent);
    assert_eq!(receive(&store, "gw", &part("p1")).await, applied);
    assert_eq!(state().await, DeliveryState::Delivered);

    let (early, me) = claimed(&store).await;
    for message_id in ["p1", "p1", "p2"] {
        let part = Receipt {
            delivery: Some(early.deliveries[0].id),
            ..part(message_id)
        };
        receive(&store, "gw", &part).await;
    }
    let settlement = sent(&early.deliveries[0], "p1", START);
    store.settle(me, &[settlement]).await.expect("settled");
    let state = record(&store, &early).await.delivery.state;
    assert_eq!(state, DeliveryState::Delivered);
}

/// A message with a failed part has failed, even if other parts arrive.
pub async fn message_with_a_failed_part_has_failed(store: Opened) {
    let alert = delivered(&store).await;
    let failed = Receipt {
        of_part: true,
        ..of(&alert, ReceiptState::Failed)
    };
    receive(&store, "gw", &failed).await;
    let part = Receipt {
        message_id: Some("p1".into()),
        of_part: true,
        ..of(&alert, ReceiptState::Delivered)
    };
    receive(&store, "gw", &part).await;
    let state = record(&store, &alert).await.delivery.state;
    assert_eq!(state, DeliveryState::Failed);
}

/// A delivery whose receipt is overdue goes to another gateway, with the reason in its log. Later
/// receipts of the first gateway count only if the message has arrived.
pub async fn missing_receipt_tries_another_gateway(store: Opened) {
    let (alert, me) = claimed(&store).await;
    let id = alert.deliveries[0].id;
    let mut settlement = sent(&alert.deliveries[0], "m", START);
    if let Disposition::Done { receipt_due_at, .. } = &mut settlement.next {
        *receipt_due_at = Some(at(300));
    }
    store.settle(me, &[settlement]).await.expect("settled");
    let missing = async |seconds| {
        let missing = store.requeue_unconfirmed(at(seconds), limit(10)).await;
        missing.expect("requeued")
    };
    assert_eq!(missing(299).await, 0);
    assert_eq!(missing(300).await, 1);
    assert_eq!(missing(301).await, 0);
    let after = record(&store, &alert).await;
    assert_eq!(after.delivery.state, DeliveryState::Queued);
    assert_eq!(after.delivery.refused_by, [slug("gw")]);
    assert!(after.delivery.may_repeat);
    assert_eq!(after.attempts_made.len(), 2);
    assert_eq!(after.attempts_made[1].outcome, AttemptOutcome::Unknown);
    let failed = of(&alert, ReceiptState::Failed);
    receive(&store, "gw", &failed).await;
    let state = record(&store, &alert).await.delivery.state;
    assert_eq!(state, DeliveryState::Queued);
    let jobs = claim(&store, me, at(302), 1).await;
    assert_eq!(jobs[0].delivery.refused_by, [slug("gw")]);
    let mut elsewhere = sent(&jobs[0].delivery, "m2", at(302));
    if let Some(attempt) = &mut elsewhere.attempt {
        (attempt.gateway, attempt.number) = (Some(slug("gw2")), 3);
    }
    store.settle(me, &[elsewhere]).await.expect("settled");
    let arrived = of(&alert, ReceiptState::Delivered);
    let effect = receive(&store, "gw", &arrived).await;
    assert_eq!(effect, ReceiptEffect::Applied(id));
    let after = record(&store, &alert).await.delivery;
    assert_eq!(after.state, DeliveryState::Delivered);
}

/// A receipt in time ends the wait for it.
pub async fn receipt_in_time_ends_the_wait(store: Opened) {
    for state in [ReceiptState::Delivered, ReceiptState::Failed] {
        let (alert, me) = claimed(&store).await;
        let mut settlement = sent(&alert.deliveries[0], "m", START);
        if let Disposition::Done { receipt_due_at, .. } = &mut settlement.next {
            *receipt_due_at = Some(at(300));
        }
        store.settle(me, &[settlement]).await.expect("settled");
        receive(&store, "gw", &of(&alert, state)).await;
        let missing = store.requeue_unconfirmed(at(900), limit(10)).await;
        assert_eq!(missing.expect("requeued"), 0);
    }
}

/// A receipt that came during the hand-over counts whatever its outcome: a message that is known to
/// have arrived is never sent again.
pub async fn early_receipt_counts_after_any_outcome(store: Opened) {
    let detail = || "no answer in time".to_owned();
    let ends = [
        Disposition::Queue {
            due_at: at(30),
            detail: detail(),
        },
        Disposition::Hold { detail: detail() },
        Disposition::Fail { detail: detail() },
    ];
    for next in ends {
        let (alert, me) = claimed(&store).await;
        let arrived = of(&alert, ReceiptState::Delivered);
        receive(&store, "gw", &arrived).await;
        let settlement = Settlement {
            delivery: alert.deliveries[0].clone(),
            token: TOKEN,
            attempt: Some(attempt(AttemptOutcome::Unknown, START)),
            next,
            at: START,
        };
        store.settle(me, &[settlement]).await.expect("settled");
        let state = record(&store, &alert).await.delivery.state;
        assert_eq!(state, DeliveryState::Delivered);
    }
}

/// A message whose holder vanished is not repeated if a gateway reports its arrival, whether the
/// receipt comes before it is taken back or after.
pub async fn receipt_settles_a_delivery_taken_back(store: Opened) {
    for is_early in [true, false] {
        let (alert, _) = claimed(&store).await;
        let arrived = of(&alert, ReceiptState::Delivered);
        let failed = of(&alert, ReceiptState::Failed);
        if is_early {
            receive(&store, "gw", &arrived).await;
        }
        let taken_back = store.requeue_orphans(at(1000), None, &[]).await;
        let taken_back = taken_back.expect("taken back").remove(0);
        assert_eq!(taken_back, record(&store, &alert).await.delivery);
        if !is_early {
            assert_eq!(
                record(&store, &alert).await.delivery.state,
                DeliveryState::Queued
            );
            let effect = receive(&store, "gw", &failed).await;
            assert_eq!(
                effect,
                ReceiptEffect::Unmatched,
                "only an arrival is certain"
            );
            receive(&store, "gw", &arrived).await;
        }
        let state = record(&store, &alert).await.delivery.state;
        assert_eq!(state, DeliveryState::Delivered, "early: {is_early}");
    }
}

/// A delivery stays marked as possibly sent until its next attempt.
pub async fn delivery_taken_back_is_marked_until_its_next_attempt(store: Opened) {
    let (alert, _) = claimed(&store).await;
    store
        .requeue_orphans(at(1000), None, &[])
        .await
        .expect("taken back");
    let me = worker();
    let jobs = claim(&store, me, at(1000), 1).await;
    let settlement = Settlement {
        delivery: jobs[0].delivery.clone(),
        token: TOKEN,
        attempt: None,
        next: Disposition::Queue {
            due_at: at(1010),
            detail: "no gateway takes messages now".into(),
        },
        at: START,
    };
    store.settle(me, &[settlement]).await.expect("settled");
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.detail, Attempt::UNRECORDED);
}

/// A late arrival ends a delivery that was suppressed or cancelled meanwhile.
pub async fn late_arrival_ends_a_cancelled_delivery(store: Opened) {
    let detail = || "for a reason".to_owned();
    for next in [
        Disposition::Suppress { detail: detail() },
        Disposition::Cancel { detail: detail() },
    ] {
        let (alert, me) = claimed(&store).await;
        let settlement = requeued(&alert.deliveries[0], AttemptOutcome::Unknown, START, at(30));
        store.settle(me, &[settlement]).await.expect("settled");
        let jobs = claim(&store, me, at(30), 1).await;
        let settlement = Settlement {
            delivery: jobs[0].delivery.clone(),
            token: TOKEN,
            attempt: None,
            next,
            at: START,
        };
        store.settle(me, &[settlement]).await.expect("settled");
        receive(&store, "gw", &of(&alert, ReceiptState::Delivered)).await;
        let state = record(&store, &alert).await.delivery.state;
        assert_eq!(state, DeliveryState::Delivered);
    }
}

/// Of a message in parts, a receipt prices one part only. A part that has arrived does not mend
/// another that has not.
pub async fn receipt_for_one_part_counts_for_no_other(store: Opened) {
    let alert = delivered(&store).await;
    let mut priced = of(&alert, ReceiptState::Pending);
    priced.price = Some("0.05".parse().expect("a price"));
    receive(&store, "gw", &priced).await;
    priced.price = Some("0.06".parse().expect("a price"));
    receive(&store, "gw", &priced).await;
    receive(&store, "gw", &of(&alert, ReceiptState::Failed)).await;
    receive(&store, "gw", &of(&alert, ReceiptState::Delivered)).await;
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Failed);
    let price = delivery.price.map(|price| price.to_string());
    assert_eq!(price.as_deref(), Some("0.05"));
}
