//! One destination or sender delays no other.

use std::time::Duration;

use redflash_core::delivery::DeliveryState;
use redflash_core::message::Raise;

use crate::world::{Answer, Script, World, gateway, slug};

#[tokio::test]
async fn dead_host_delays_no_other() {
    let script = Script::new("x");
    script.always("dead/1", Answer::Gated);
    let world = World::new([gateway("first", &script, 2)]).await;
    world.contact("dead", &["dead/1"]).await;
    world.contact("live", &["live/1"]).await;
    for _ in 0..20 {
        world.tell("dead", "hello").await;
    }
    let id = world.tell("live", "hello").await.notification;
    let record = world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    assert_eq!(record.attempts_made[0].number, 1);
    assert!(script.sent_to("dead/1") <= 20);
}

#[tokio::test]
async fn senders_take_turns() {
    let script = Script::new("x");
    script.always("a", Answer::Gated);
    let world = World::new([gateway("first", &script, 4)]).await;
    world.contact("ann", &["a"]).await;
    let raise = |by: &str| {
        let raise = Raise::contact(slug("ann"), by.to_owned()).by(slug(by));
        world.engine.raise(raise)
    };
    let mut all = Vec::new();
    for _ in 0..100 {
        all.push(raise("loud").await.unwrap().notification);
    }
    for _ in 0..5 {
        all.push(raise("quiet").await.unwrap().notification);
    }
    script.open_gate(1000);
    for id in all {
        world
            .until(id, |r| r.delivery.state == DeliveryState::Sent)
            .await;
    }
    let sent = script.sent();
    let last_quiet = sent
        .iter()
        .rposition(|message| message.body == "quiet")
        .unwrap();
    assert!(
        last_quiet < 30,
        "the quiet sender's last alert was number {last_quiet}"
    );
}

#[tokio::test]
async fn large_group_stays_within_the_limit_of_its_lane() {
    let script = Script::new("x");
    let world = World::new([gateway("first", &script, 4)]).await;
    let people: Vec<_> = (0..200).map(|n| format!("p{n}")).collect();
    for person in &people {
        world.contact(person, &[&format!("host/{person}")]).await;
    }
    world
        .group(
            "all",
            &people.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await;
    let raised = world.tell_group("all", "hello").await;
    assert_eq!(raised.plan.queued(), 200);
    let records = world
        .engine
        .wait(raised.notification, Duration::from_secs(10))
        .await
        .unwrap();
    assert!(
        records
            .iter()
            .all(|r| r.delivery.state == DeliveryState::Sent)
    );
    assert_eq!(script.sent().len(), 200);
}
