//! The page of inbound messages.

use redflash_core::clock::Timestamp;
use redflash_core::inbound::Inbound;
use redflash_core::model::{Address, InboundId, NotificationId, Slug};
use redflash_core::store::{Inbox, Outbox};

use crate::admin::delivery_world::{World, older};
use crate::fake_channel::fake_kind;
use crate::login::{HOSTILE, Who, lacks, says};

fn inbound(number: i64, contact: Option<&str>, text: &str) -> Inbound {
    let at = Timestamp::from_millis(1_700_000_000_000 + number);
    Inbound {
        id: InboundId::new(at),
        gateway: "first".parse().unwrap(),
        channel: fake_kind(),
        message_id: None,
        from: Address::new("p-7").unwrap(),
        text: text.into(),
        received_at: at,
        contacts: contact
            .map(|slug| Slug::parse(slug).unwrap())
            .into_iter()
            .collect(),
        answers: None,
        effect: "kept".into(),
    }
}

#[tokio::test]
async fn lists_replies_with_effect() {
    let world = World::start().await;
    says(
        &world.page("/admin/inbound").await,
        &["No inbound messages yet"],
    );
    world.contact("ann", "Ann", &["a"]).await;
    let id = world.tell("ann", "hello").await;
    let (_, records) = world.store.notification(id).await.unwrap().unwrap();
    let raised = NotificationId::new(Timestamp::from_millis(1));
    let answer = Inbound {
        answers: Some(records[0].delivery.id),
        effect: format!("raised event/reply as {raised}"),
        ..inbound(1, Some("ann"), HOSTILE)
    };
    world.store.record_inbound(&answer).await.unwrap();
    let stranger = inbound(2, None, "who are you?");
    world.store.record_inbound(&stranger).await.unwrap();
    let page = world
        .get_as(Who::Viewer, "/admin/inbound")
        .await
        .expect(200)
        .body;
    says(
        &page,
        &[
            "/admin/contacts/ann",
            "&lt;script&gt;",
            &format!("/admin/log/{raised}"),
            &format!("/admin/log/{id}#d-{}", records[0].delivery.id),
            "Unknown contact",
            "who are you?",
        ],
    );
    let ann = world.page("/admin/inbound?contact=ann").await;
    says(&ann, &["event/reply"]);
    lacks(&ann, "who are you?");
    says(
        &world.page("/admin/inbound?contact=bob").await,
        &["No messages", "Clear filters"],
    );
    let odd = world.page("/admin/inbound?contact=%3Cb%3E&before=x").await;
    says(&odd, &["is not allowed in a slug", "who are you?"]);
}

#[tokio::test]
async fn paginates_replies() {
    let world = World::start().await;
    for number in 0..101 {
        let text = format!("number {number}.");
        let inbound = inbound(number, Some("ann"), &text);
        world.store.record_inbound(&inbound).await.unwrap();
    }
    let mut next = Some("/admin/inbound?contact=ann".to_owned());
    let mut seen = Vec::new();
    while let Some(path) = next {
        let page = world.page(&path).await;
        seen.push(page.matches("number ").count());
        next = older(&page);
    }
    assert_eq!(seen, [50, 50, 1]);
}
