//! Power that fails: what is on the disk at one moment is all there is.

use std::fs;

use redflash_tests::{Signal, Site, missing};

use crate::load::World;
use crate::mount::{Mount, run};

#[tokio::test(flavor = "multi_thread")]
async fn keeps_accepted_alerts_after_power_cut() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("disk.img");
    fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
    let formatted = run("mkfs.ext4", ["-q", image.to_str().unwrap()]);
    let disk = match formatted.and_then(|()| Mount::image(&image)) {
        Ok(disk) => disk,
        Err(reason) => {
            // The test ends here without dropping anything.
            drop(directory);
            missing(&format!("no disk image can be mounted: {reason}"))
        }
    };
    let on = |disk: &Mount| format!("sqlite:{}", disk.path("redflash.db").display());
    let site = Site::new(&World::config()).with_variable("REDFLASH_DATABASE", on(&disk));
    let world = World::on(site).await;
    let server = world.site.serve().await;
    let clients = world.load(&server);
    world.accepted(300).await;

    server.signal(Signal::STOP);
    let known = world.ledger().ids();
    // What the file system has not written yet is not in the image: it is lost, as in a power cut.
    let after = directory.path().join("after.img");
    fs::copy(&image, &after).unwrap();
    drop(clients);
    server.kill().await;

    let disk = Mount::image(&after).unwrap();
    let site = Site::new(&World::config()).with_variable("REDFLASH_DATABASE", on(&disk));
    let count = known.len().to_string();
    let log = ["log", "--json", "--limit", &*format!("{count}000")];
    let log = site.run(log).await.json();
    let on_disk: Vec<_> = log.as_array().unwrap().iter().collect();
    let on_disk = on_disk
        .iter()
        .map(|entry| entry["notification"]["id"].as_str().unwrap());
    let on_disk: std::collections::BTreeSet<_> = on_disk.collect();
    let lost: Vec<_> = known
        .iter()
        .filter(|id| !on_disk.contains(id.as_str()))
        .collect();
    eprintln!("{} accepted, {} on the disk", known.len(), on_disk.len());
    assert!(lost.is_empty(), "accepted and lost: {lost:?}");
}
