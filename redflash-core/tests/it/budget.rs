//! Budgets: messages beyond them are suppressed, and never sent.

use std::time::Duration;

use redflash_core::delivery::DeliveryState::{self, Sent, Suppressed};
use redflash_core::gateway::{Budget, Gateway};
use redflash_core::model::NotificationId;

use crate::world::{Answer, Script, World, gateway};

const HOUR: Duration = Duration::from_secs(3600);

fn bounded(name: &str, script: &Script, budget: Budget) -> Gateway {
    Gateway {
        budget,
        ..gateway(name, script, 8)
    }
}

/// Returns the outcome of a notification to one address.
async fn ended(world: &World, id: NotificationId) -> (DeliveryState, String) {
    let ended = |state: DeliveryState| state.is_final();
    let record = world.until(id, |record| ended(record.delivery.state)).await;
    (record.delivery.state, record.delivery.detail)
}

async fn tell(world: &World, who: &str) -> DeliveryState {
    let id = world.tell(who, "hello").await.notification;
    ended(world, id).await.0
}

#[tokio::test]
async fn suppresses_messages_beyond_a_budget_until_the_next_window() {
    let script = Script::new("x");
    let budget = Budget {
        per_hour: Some(2),
        per_day: Some(3),
        ..Budget::default()
    };
    let world = World::new([bounded("first", &script, budget)]).await;
    world.contact("ann", &["a"]).await;
    for state in [Sent, Sent, Suppressed] {
        assert_eq!(tell(&world, "ann").await, state);
    }
    let id = world.tell("ann", "hello").await.notification;
    let (_, why) = ended(&world, id).await;
    assert_eq!(why, "the budget of first is used up: 2 messages an hour");
    assert_eq!(world.records(id).await[0].attempts_made, []);
    world.advance(HOUR);
    for state in [Sent, Suppressed] {
        assert_eq!(tell(&world, "ann").await, state);
    }
    assert_eq!(script.sent().len(), 3);
    // It can be resent once there is budget again.
    world.advance(24 * HOUR);
    assert_eq!(
        world
            .store
            .resend(id, None, world.engine.now())
            .await
            .unwrap(),
        1
    );
    world.engine.wake();
    world.until(id, |r| r.delivery.state == Sent).await;
}

#[tokio::test]
async fn next_gateway_takes_over_when_a_budget_is_used_up() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    let one = Budget {
        per_hour: Some(1),
        ..Budget::default()
    };
    let gateways = [
        bounded("first", &first, one),
        bounded("second", &second, one),
    ];
    let world = World::new(gateways).await;
    world.contact("ann", &["a"]).await;
    for state in [Sent, Sent, Suppressed] {
        assert_eq!(tell(&world, "ann").await, state);
    }
    assert_eq!((first.sent().len(), second.sent().len()), (1, 1));
}

#[tokio::test]
async fn budget_of_an_address_does_not_affect_others() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    let budget = Budget {
        address_per_hour: Some(1),
        ..Budget::default()
    };
    // Another gateway does not bypass it.
    let gateways = [
        bounded("first", &first, budget),
        gateway("second", &second, 8),
    ];
    let world = World::new(gateways).await;
    world.contact("ann", &["a"]).await;
    world.contact("bob", &["b"]).await;
    for (who, state) in [("ann", Sent), ("ann", Suppressed), ("bob", Sent)] {
        assert_eq!(tell(&world, who).await, state, "{who}");
    }
    assert!(second.sent().is_empty());
}

#[tokio::test]
async fn unsent_messages_cost_no_budget() {
    let script = Script::new("x");
    script.next("a", [Answer::Unreachable, Answer::Reject]);
    let budget = Budget {
        per_hour: Some(1),
        ..Budget::default()
    };
    let world = World::new([bounded("first", &script, budget)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, |r| r.delivery.attempts == 1).await;
    assert_eq!(tell(&world, "ann").await, DeliveryState::Failed);
    world.advance(Duration::from_secs(3));
    assert_eq!(ended(&world, id).await.0, DeliveryState::Sent);
    assert_eq!(tell(&world, "ann").await, DeliveryState::Suppressed);
}
