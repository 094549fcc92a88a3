//! What is particular to an installation that keeps everything in one file.

use std::os::unix::fs::PermissionsExt;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_store_is_refused() {
    let world = World::start().await;
    world.hooked("ada").await;

    let second = world.site.cli(["serve"]).run().await;

    assert_eq!(second.code, Some(1), "{}", second.stderr);
    let pid = world.server.pid().to_string();
    assert!(
        second.stderr.contains(&pid),
        "names the other: {}",
        second.stderr
    );
    world.raise("contact/ada", "hi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_its_owners_alone() {
    let world = World::start().await;
    let files = std::fs::read_dir(world.site.path()).unwrap();
    let store = files.map(|file| file.unwrap()).filter(|file| {
        file.file_name()
            .to_string_lossy()
            .starts_with("redflash.db")
    });
    let mut seen = 0;
    for file in store {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", file.file_name());
        seen += 1;
    }
    assert!(seen > 0);
}
