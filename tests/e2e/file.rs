//! Behaviour specific to an SQLite store.

use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;

use redflash_core::model::{Action, Actor};
use redflash_core::store::{Audit, AuditFilter};
use redflash_store::{Access, SqliteStore};
use redflash_tests::{Config, Site, until};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn rejects_second_server_on_the_same_store() {
    let world = World::start().await;
    world.hooked("ada").await;

    let second = world.site.cli(["serve"]).run().await;

    assert_eq!(second.code, Some(1), "{}", second.stderr);
    let pid = world.server.pid().to_string();
    assert!(
        second.stderr.contains(&pid),
        "names the other server: {}",
        second.stderr
    );
    world.raise("contact/ada", "hi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_alerts_while_database_is_moved_away() {
    let world = World::start().await;
    world.hooked("ada").await;
    world.raise("contact/ada", "before").await;
    let (file, away) = (world.site.database(), world.site.path().join("away.db"));
    std::fs::rename(&file, &away).unwrap();
    let ready = async |wanted: u16| {
        until("the readiness changes", async || {
            let answer = world.client.get("/readyz").await;
            (answer.status == wanted).then_some(answer)
        })
        .await
    };
    let verdict = ready(503).await;
    assert!(!verdict.body.contains("moved"), "{}", verdict.body);
    let fields = [("message", "meanwhile")];
    let refused = world.client.raise("contact/ada", &world.key, &fields).await;
    assert_eq!(refused.status, 500, "{}", refused.body);
    assert_eq!(refused.code(), "store_unavailable", "{}", refused.body);
    std::fs::rename(&away, &file).unwrap();
    ready(200).await;
    world.raise("contact/ada", "after").await;
    let log = world.server.log();
    assert_eq!(log.matches("nothing more is recorded").count(), 1, "{log}");
    assert!(log.contains("was removed or moved"), "{log}");
    world.webhook.expect(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restricts_store_to_its_owner() {
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

#[tokio::test(flavor = "multi_thread")]
async fn records_operator_changes_in_audit_log() {
    let site = Site::new(&Config::new()).with_variable("SUDO_USER", "olga");
    for command in [
        "contact add ann --name Ann --email ann@example.org",
        "endpoint off ann email ann@example.org",
        "group add crew --name Crew --contact ann",
        "key add app",
        "key off app",
        "contact edit ann --name Anna",
        "contact remove ann",
    ] {
        site.run(command.split(' ')).await;
    }

    let store = SqliteStore::open(site.database(), Access::Shared).unwrap();
    let filter = AuditFilter {
        subject: None,
        by: Some(Actor::Operator("olga".into())),
        before: None,
        limit: NonZeroU32::new(20).unwrap(),
    };
    let changes = store.audit_entries(&filter).await.unwrap();
    let recorded: Vec<_> = changes
        .iter()
        .rev()
        .map(|change| (change.action, change.subject.as_str()))
        .collect();
    let expected = [
        (Action::Added, "contact/ann"),
        (Action::SwitchedOff, "contact/ann"),
        (Action::Added, "group/crew"),
        (Action::Added, "key/app"),
        (Action::SwitchedOff, "key/app"),
        (Action::Changed, "contact/ann"),
        (Action::Removed, "contact/ann"),
    ];
    assert_eq!(recorded, expected);
}
