//! Several engines over one Postgres database, also over one value of the store, are nodes each.

use std::time::{Duration, Instant};

use redflash_core::clock::Timestamp;
use redflash_core::model::WorkerId;
use redflash_core::store::Outbox;
use redflash_store::{PostgresConfig, PostgresStore};
use redflash_tests::Postgres;

use crate::unreadable::{enqueue, lease, want};

async fn open(url: &str) -> PostgresStore {
    let config = PostgresConfig::new(url);
    PostgresStore::open(&config).await.unwrap()
}

async fn nodes(store: &PostgresStore, worker: WorkerId) -> u32 {
    let now = Timestamp::default();
    let nodes = store.exchange(worker, &[], now).await.unwrap();
    nodes.count.get()
}

/// Looks until something is true, for ten seconds.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_over_one_store_are_nodes_of_their_own() {
    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let (store, other) = (open(&url).await, open(&url).await);
    let [first, second, third] = [lease(), lease(), lease()];
    let mut serving = Vec::new();
    for (store, lease) in [(&store, &first), (&store, &second), (&other, &third)] {
        let one = store.serve(lease.worker).unwrap();
        assert!(!one.is_exclusive());
        serving.push(one);
        store.join(lease.worker).await.unwrap();
    }
    assert_eq!(nodes(&other, third.worker).await, 3);

    enqueue(&store, 2).await;
    for lease in [&first, &second] {
        let claimed = store.claim_due(lease, &[want(1)]).await.unwrap();
        assert_eq!(claimed.len(), 1);
    }
    drop(serving.remove(0));
    until(async || nodes(&other, third.worker).await == 2).await;
    let mut taken = 0;
    until(async || {
        let found = other.requeue_orphans(first.now, None, &[]).await.unwrap();
        taken += found.len();
        taken > 0
    })
    .await;
    // The other engine of the first store is alive, and keeps what it has.
    assert_eq!(taken, 1);
    let again = other.claim_due(&third, &[want(10)]).await.unwrap();
    assert_eq!(again.len(), 1);
}
