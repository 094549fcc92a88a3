//! Migrations, run by the first node to start.

use redflash_tests::{Config, Postgres, Site};

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_migrate_once() {
    let postgres = Postgres::start().await;
    let site = Site::on(&Config::new(), postgres.database().await);
    let mut commands = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let command = site.cli(["migrate"]);
        commands.spawn(async move { command.run().await.code });
    }
    assert_eq!(commands.join_all().await, [Some(0); 6]);
    site.run(["doctor"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_newer_version_are_left_alone() {
    let postgres = Postgres::start().await;
    let site = Site::on(&Config::new(), postgres.database().await);
    site.run(["migrate"]).await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')";
    postgres.sql(site.database_url(), newer).await;

    let refused = site.cli(["serve"]).run().await;

    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("newer version"),
        "{}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_wrong_password_without_showing_it() {
    let postgres = Postgres::start().await;
    let url = postgres.database().await;
    let (before, after) = url.split_once('@').unwrap();
    let (login, _) = before.rsplit_once(':').unwrap();
    let wrong = format!("{login}:canary-of-a-password@{after}");
    let refused = Site::on(&Config::new(), wrong).cli(["doctor"]).run().await;
    assert_ne!(refused.code, Some(0));
    let output = format!("{}{}", refused.stdout, refused.stderr);
    assert!(
        output.contains("password authentication failed"),
        "{output}"
    );
    assert!(!output.contains("canary"), "{output}");

    let url = format!("{url}?sslmode=verify-full");
    let untrusted = Site::on(&Config::new(), &*url).cli(["migrate"]).run().await;
    assert_eq!(untrusted.code, Some(75), "{}", untrusted.stderr);
    let ca = postgres.ca_file().display();
    let trusting = Config::new().section(&format!("[postgres]\nca_file = \"{ca}\""));
    Site::on(&trusting, &*url).run(["migrate"]).await;
}
