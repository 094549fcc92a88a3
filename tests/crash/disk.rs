//! A disk that fills up.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use redflash_tests::{Site, missing, until};

use crate::load::World;
use crate::mount::Mount;

/// Fills a disk to the last byte.
fn fill(path: &Path) {
    let mut ballast = File::create(path).unwrap();
    while ballast.write_all(&[0; 4096]).is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_alerts_while_disk_is_full() {
    let disk = match Mount::memory("16m") {
        Ok(disk) => disk,
        Err(reason) => missing(&format!("no small disk can be mounted: {reason}")),
    };
    let database = format!("sqlite:{}", disk.path("redflash.db").display());
    let site = Site::new(&World::config()).with_variable("REDFLASH_DATABASE", database);
    let world = World::on(site).await;
    let server = world.site.serve().await;
    let clients = world.load(&server);
    world.accepted(100).await;

    let ballast = disk.path("ballast");
    fill(&ballast);
    until("an alert is refused", async || {
        (world.refused() > 0).then_some(())
    })
    .await;
    drop(clients);
    let fields = [("message", "hi")];
    let refused = until("it says why", async || {
        let answer = server
            .client()
            .raise("contact/ada", &world.key, &fields)
            .await;
        (answer.status != 201).then_some(answer)
    })
    .await;
    assert_eq!(refused.status, 500);
    assert!(refused.code().starts_with("store_"), "{}", refused.body);
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");

    std::fs::remove_file(ballast).unwrap();
    let freed = Instant::now();
    let id = until("alerts are taken again", async || {
        let answer = server
            .client()
            .raise("contact/ada", &world.key, &fields)
            .await;
        (answer.status == 201).then(|| answer.notification())
    })
    .await;
    assert!(
        freed.elapsed() < Duration::from_secs(1),
        "{:?}",
        freed.elapsed()
    );
    world.ledger().accept(id);

    let balance = world.settle().await;
    eprintln!(
        "{} accepted, {} refused, {} repeats",
        world.ledger().len(),
        world.refused(),
        balance.repeated.len()
    );
    assert_eq!(balance.lost, [""; 0], "accepted and lost");
    let unlabelled = world.unlabelled(&server, &balance).await;
    assert!(
        unlabelled.is_empty(),
        "repeats that do not say so: {unlabelled:?}"
    );
}
