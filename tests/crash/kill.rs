//! `kill -9` under load, again and again.

use crate::load::{IN_FLIGHT, World};

/// Number of times the server is killed.
const ROUNDS: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn keeps_accepted_alerts_after_a_hundred_kills() {
    let world = World::new().await;
    for round in 0..ROUNDS {
        let server = world.site.serve().await;
        let clients = world.load(&server);
        // Another moment each time.
        world.accepted(20 + round * 7 % 50).await;
        server.kill().await;
        clients.join_all().await;
    }
    let server = world.site.serve().await;

    let balance = world.settle().await;

    let repeats: usize = balance.repeated.values().map(|count| count - 1).sum();
    eprintln!(
        "{} accepted in {ROUNDS} rounds, {} without an answer of which {} were sent; {repeats} repeats",
        world.ledger().len(),
        world.ledger().doubts(),
        balance.unannounced.len(),
    );
    assert_eq!(world.refused(), 0);
    assert_eq!(balance.lost, [""; 0], "accepted and lost");
    assert!(balance.unannounced.len() as u64 <= world.ledger().doubts());
    assert!(repeats <= ROUNDS * IN_FLIGHT, "{repeats} repeats");
    let unlabelled = world.unlabelled(&server, &balance).await;
    assert!(
        unlabelled.is_empty(),
        "repeats that do not say so: {unlabelled:?}"
    );
}
