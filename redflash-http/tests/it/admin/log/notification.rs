//! The page of a notification, and resending.

use std::num::NonZeroU32;

use redflash_core::delivery::{DeliveryState, Receipt, ReceiptState};
use redflash_core::inbound::Inbound;
use redflash_core::model::{Address, Contact, InboundId};
use redflash_core::store::{Directory, InboundFilter, Inbox, Outbox};
use redflash_tests::until;

use crate::admin::delivery_world::World;
use crate::fake_channel::fake_kind;
use crate::login::{HOSTILE, Who, lacks, says};

#[tokio::test]
async fn shows_attempts_receipts_replies_and_skipped_recipients() {
    let world = World::start().await;
    world
        .contact("ann", "Ann Example", &["a-1", "refuse-1"])
        .await;
    let off = Contact::new("off".parse().unwrap(), "Off Duty".parse().unwrap());
    world.save(off).await;
    world.group("team", &["ann", "off"]).await;
    let raise = redflash_core::message::Raise::group("team".parse().unwrap(), HOSTILE);
    let id = world.engine.raise(raise).await.unwrap().notification;
    until("both have ended", || async {
        let states = world.states(id).await;
        let wanted = [DeliveryState::Sent, DeliveryState::Failed];
        (states == wanted).then_some(())
    })
    .await;
    let (_, records) = world.store.notification(id).await.unwrap().unwrap();
    let delivery = records[0].delivery.id;
    let receipt = Receipt {
        message_id: Some("m-1".into()),
        delivery: Some(delivery),
        state: ReceiptState::Delivered,
        of_part: false,
        price: "0.05".parse().ok(),
        detail: "read by ann".into(),
    };
    let at = world.engine.now().plus(std::time::Duration::from_secs(1));
    let first = "first".parse().unwrap();
    world
        .store
        .record_receipt(&first, &receipt, at)
        .await
        .unwrap();
    let inbound = Inbound {
        id: InboundId::new(at),
        gateway: first,
        channel: fake_kind(),
        message_id: None,
        from: Address::new("a-1").unwrap(),
        text: "on my <way>".into(),
        received_at: at,
        contacts: vec!["ann".parse().unwrap()],
        answers: Some(delivery),
        effect: "kept".into(),
    };
    world.store.record_inbound(&inbound).await.unwrap();
    let page = world.page(&format!("/admin/log/{id}")).await;
    says(
        &page,
        &[
            "Ann Example",
            "via team",
            "Attempt 1 via first",
            "Refused after",
            "rejected: &lt;script&gt;",
            "Receipt: delivered",
            "read by ann",
            "0.05",
            "m-1",
            "on my &lt;way&gt;",
            "Off Duty",
            "the contact has no endpoint",
            "RedFlash or an operator",
            "Resend 1 delivery",
            &format!("/api/v1/notifications/{id}"),
        ],
    );
    lacks(&page, "data-events-url");
    let seen = world.get_as(Who::Viewer, &format!("/admin/log/{id}")).await;
    says(&seen.expect(200).body, &["read by ann"]);
    let all = InboundFilter {
        contact: None,
        before: None,
        limit: NonZeroU32::MAX,
    };
    assert_eq!(world.store.inbound(&all).await.unwrap().len(), 1);
}

#[tokio::test]
async fn admin_resends_failed_deliveries() {
    let world = World::start().await;
    world
        .contact("ann", "Ann", &["refuse-1", "refuse-2", "a"])
        .await;
    let id = world.tell("ann", "hello").await;
    let path = format!("/admin/log/{id}/resend");
    world.is_guarded(&path, &[]).await;
    let page = world.get_as(Who::Viewer, &format!("/admin/log/{id}")).await;
    lacks(&page.body, "Resend");

    let (_, records) = world.store.notification(id).await.unwrap().unwrap();
    let second = records[1].delivery.id.to_string();
    let location = world.done(&path, &[("delivery", &second)]).await;
    assert_eq!(location, format!("/admin/log/{id}?notice=resent"));
    until("it was tried again", || async {
        (world.channel.sent_to("refuse-2").len() == 2).then_some(())
    })
    .await;
    assert_eq!(world.channel.sent_to("refuse-1").len(), 1);
    until("it has ended", || async {
        let states = world.states(id).await;
        states.iter().all(|state| state.is_final()).then_some(())
    })
    .await;
    world.done(&path, &[]).await;
    until("both were tried again", || async {
        let tried = ["refuse-1", "refuse-2"].map(|to| world.channel.sent_to(to).len());
        (tried == [2, 3]).then_some(())
    })
    .await;
    assert_eq!(
        world.channel.sent_to("a").len(),
        1,
        "what was sent is not sent again"
    );
    let entries = world.audit_log().await;
    let subject = format!("notification/{id}");
    assert_eq!(
        entries,
        [
            format!("user/boss resent {subject} 2 deliveries"),
            format!("user/boss resent {subject} delivery {second}"),
        ]
    );
    let page = world.page(&format!("/admin/log/{id}?notice=resent")).await;
    says(&page, &["Queued again.", "Resent by user/boss"]);
}

#[tokio::test]
async fn resends_neither_sent_nor_unknown_deliveries() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a"]).await;
    let (one, two) = (
        world.tell("ann", "one").await,
        world.tell("ann", "two").await,
    );
    let path = format!("/admin/log/{one}/resend");
    let location = world.done(&path, &[]).await;
    assert_eq!(location, format!("/admin/log/{one}?notice=nothing"));
    let (_, records) = world.store.notification(two).await.unwrap().unwrap();
    let foreign = records[0].delivery.id.to_string();
    for delivery in [&*foreign, "x", "../.."] {
        world
            .post(&path, &[("delivery", delivery)])
            .await
            .expect(404);
    }
    let nobody = "0".repeat(32);
    world
        .post(&format!("/admin/log/{nobody}/resend"), &[])
        .await
        .expect(404);
    for id in [&*nobody, "x", "%F0%9F%92%A9", "1000000000000000000"] {
        let page = world.get_as(Who::Admin, &format!("/admin/log/{id}")).await;
        says(&page.expect(404).body, &["Not found", "<nav"]);
    }
    assert!(world.audit_log().await.is_empty());
    assert!(
        world
            .store
            .contact(&"ann".parse().unwrap())
            .await
            .unwrap()
            .is_some()
    );
}
