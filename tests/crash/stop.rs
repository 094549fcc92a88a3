//! SIGTERM under load.

use redflash_tests::Signal;

use crate::load::World;

#[tokio::test(flavor = "multi_thread")]
async fn orderly_stop_loses_and_repeats_nothing() {
    let world = World::new().await;
    for round in 0..10 {
        let mut server = world.site.serve().await;
        let clients = world.load(&server);
        world.accepted(50 + round * 13).await;
        server.signal(Signal::TERM);
        assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());
        clients.join_all().await;
    }
    let _server = world.site.serve().await;

    let balance = world.settle().await;

    eprintln!("{} accepted in 10 rounds", world.ledger().len());
    assert_eq!(world.refused(), 0);
    assert_eq!(balance.lost, [""; 0]);
    assert!(balance.repeated.is_empty(), "{:?}", balance.repeated);
    assert!(balance.unannounced.len() as u64 <= world.ledger().doubts());
}
