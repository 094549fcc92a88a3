//! From one machine's file to a database for many.

use redflash_tests::{Config, Postgres, Site, WebhookSink};

use crate::world::HOOKS;

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_copied_and_counted() {
    let file = Site::new(&Config::new().gateway(HOOKS));
    let sink = WebhookSink::start().await;
    let hook = sink.url("/ada");
    file.run(["contact", "add", "ada", "--name", "Ada", "--webhook", &hook])
        .await;
    file.run(["group", "add", "ops", "--name", "Ops", "--contact", "ada"])
        .await;
    let event = [
        "event",
        "add",
        "disk",
        "--name",
        "Disk",
        "--message",
        "{{x}}",
    ];
    file.run(event.into_iter().chain(["--group", "ops"])).await;
    let key = file.key("monitor", &["--inspect"]).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let fired = file.run(["fire", "disk", "x=1", "--wait", "--json"]).await;
        ids.push(fired.json()["notification_id"].as_str().unwrap().to_owned());
    }
    file.run(["send", "contact", "ada", "later"]).await;
    let export = file.run(["export", "-"]).await.stdout;

    let postgres = Postgres::start().await;
    let database = Site::on(&Config::new().gateway(HOOKS), postgres.database().await);
    let (from, to) = (file.database_url(), database.database_url());
    let copied = database
        .run(["copy", "--from", from, "--to", to, "--json"])
        .await;
    assert_eq!(copied.json()["notifications"], 4);
    assert_eq!(copied.json()["attempts"], 3);

    assert_eq!(database.run(["export", "-"]).await.stdout, export);
    for id in &ids {
        let shown = database.run(["log", id, "--json"]).await.json();
        assert_eq!(shown, file.run(["log", id, "--json"]).await.json());
    }
    // What waited is sent from there, and the keys work.
    let node = database.serve().await;
    sink.expect(4).await;
    let fields = [("message", "hi")];
    node.client()
        .raise("contact/ada", &key, &fields)
        .await
        .expect(201);
    sink.expect(5).await;

    let again = database
        .cli(["copy", "--from", from, "--to", to])
        .run()
        .await;
    assert_eq!(again.code, Some(4), "{}", again.stderr);
}
