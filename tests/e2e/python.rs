//! The Python client of the examples, against the real server.

use std::path::Path;

use redflash_tests::Received;

use crate::world::World;

const SCRIPT: &str = r#"
import logging, sys
from redflash import RedFlashClient, RedFlashHandler, Refused, UnknownTarget
url, key = sys.argv[1:]
client = RedFlashClient(url, key)
assert client.notify_contact("ann", "by contact") == 201
assert client.notify_group("crew", "by group") == 201
assert client.fire_event("disk", host="db1") == 201
for error, client, slug in ((UnknownTarget, client, "nobody"), (Refused, RedFlashClient(url, "wrong"), "ann")):
    try:
        client.notify_contact(slug, "hello")
        sys.exit("accepted")
    except error:
        pass
logger = logging.getLogger("app")
logger.addHandler(RedFlashHandler(RedFlashClient(url, key), contact="ann"))
logger.error("from the log")
logging.shutdown()
"#;

#[tokio::test(flavor = "multi_thread")]
async fn python_client_raises_alerts_and_log_records() {
    let world = World::start().await;
    world.hooked("ann").await;
    let site = &world.site;
    site.run(["group", "add", "crew", "--name", "Crew", "--contact", "ann"])
        .await;
    let event = ["event", "add", "disk", "--name", "Disk"];
    let template = ["--message", "{{host}} is full", "--contact", "ann"];
    site.run(event.into_iter().chain(template)).await;
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/python");
    let script = site.path().join("client.py");
    std::fs::write(&script, SCRIPT).unwrap();
    let line = format!(
        "python3 {} {} {}",
        script.display(),
        world.server.url(""),
        world.key
    );
    let command = site.shell(&line);
    let command = command.variable("PYTHONPATH", &module.display().to_string());
    command.run().await.succeeded();
    let requests = world.webhook.expect(4).await;
    let mut texts: Vec<_> = requests.iter().map(Received::message).collect();
    texts.sort();
    assert_eq!(
        texts,
        ["by contact", "by group", "db1 is full", "from the log"]
    );
}
