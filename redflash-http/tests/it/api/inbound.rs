//! `/api/v1/inbound`.

use redflash_core::clock::Timestamp;
use redflash_core::inbound::Inbound;
use redflash_core::model::{Address, ChannelKind, InboundId};
use redflash_core::store::Inbox;
use serde_json::{Value, json};

use super::world::{Who, World, refused};

async fn send(world: &World, contact: &str, at: i64) {
    let at = Timestamp::from_millis(at);
    let inbound = Inbound {
        id: InboundId::new(at),
        gateway: "pager".parse().unwrap(),
        channel: ChannelKind::parse("pager").unwrap(),
        message_id: None,
        from: Address::new(format!("p-{contact}")).unwrap(),
        text: format!("I am {contact}"),
        received_at: at,
        contacts: vec![contact.parse().unwrap()],
        answers: None,
        effect: "kept".into(),
    };
    assert!(world.store.record_inbound(&inbound).await.unwrap());
}

#[tokio::test]
async fn lists_inbound_page_by_page() {
    let world = World::start().await;
    for (at, contact) in ["ann", "bob", "ann"].into_iter().enumerate() {
        send(&world, contact, i64::try_from(at).unwrap() + 1).await;
    }
    let texts = |page: &Value| {
        let found = page["inbound"].as_array().unwrap().iter();
        found
            .map(|one| one["text"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let first = world.get("inbound?limit=2").await;
    assert_eq!(texts(&first), ["I am ann", "I am bob"]);
    let next = first["next"].as_str().unwrap();
    let last = world.get(&format!("inbound?limit=2&cursor={next}")).await;
    assert_eq!(
        (texts(&last), &last["next"]),
        (vec!["I am ann".to_owned()], &Value::Null)
    );
    assert_eq!(texts(&world.get("inbound?contact=bob").await), ["I am bob"]);
    let nobody = world.get("inbound?contact=eve").await;
    assert_eq!(nobody, json!({"inbound": [], "next": null}));
    for (query, field) in [
        ("contact=a+b", "contact"),
        ("cursor=x", "cursor"),
        ("q=x", "q"),
    ] {
        let answer = world
            .ask("GET", &format!("inbound?{query}"), &Value::Null)
            .await;
        refused(&answer, 422, "invalid", field);
    }
    let plain = world.send(Who::Plain, "GET", "inbound", &[], "").await;
    refused(&plain, 403, "not_allowed", "");
}
