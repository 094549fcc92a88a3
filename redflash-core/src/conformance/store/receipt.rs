//! Promises of receipts.

use super::fixture::{Alert, Opened, START, at, claim, one, record, requeued, sent, slug, worker};
use crate::store::ReceiptEffect;
use crate::{AttemptOutcome, DeliveryState, Receipt, ReceiptState, WorkerId};

fn receipt(state: ReceiptState) -> Receipt {
    Receipt {
        message_id: None,
        delivery: None,
        state,
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
    let (alert, me) = claimed(store).await;
    let settlement = sent(&alert.deliveries[0], "m", START);
    store.settle(me, &[settlement]).await.expect("settled");
    alert
}

/// Receipts move a delivery forward, never back; repeated ones say nothing new.
pub async fn a_receipt_moves_a_delivery_forward_only(store: Opened) {
    let alert = delivered(&store).await;
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
    // Of a message in parts, a receipt prices one part only.
    arrived.price = Some("0.06".parse().expect("a price"));
    assert_eq!(
        receive(&store, "gw", &arrived).await,
        ReceiptEffect::Applied(id)
    );
    let delivery = record(&store, &alert).await.delivery;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(
        delivery.price.map(|price| price.to_string()).as_deref(),
        Some("0.05")
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

/// A receipt that comes before the outcome is recorded holds once it is.
pub async fn a_receipt_may_come_before_the_outcome(store: Opened) {
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
pub async fn a_receipt_may_name_only_the_gateways_id(store: Opened) {
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
pub async fn a_receipt_of_another_gateway_changes_nothing(store: Opened) {
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
    arrived.delivery = Some(crate::DeliveryId::new(crate::NotificationId::new(START), 1));
    assert_eq!(
        receive(&store, "gw", &arrived).await,
        ReceiptEffect::Unmatched
    );
    assert_eq!(
        record(&store, &alert).await.delivery.state,
        DeliveryState::Sent
    );
}

/// When an unknown outcome turns out well, the repeat that waits is cancelled.
pub async fn a_receipt_cancels_the_repeat(store: Opened) {
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
