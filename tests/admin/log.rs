//! Searching, reading and exporting the log.

use redflash_tests::{Reply, until};

use crate::world::World;

/// Starts an installation with alerts whose messages describe their outcome.
async fn with_log() -> World {
    let world = World::start().await;
    world.hooked("ada").await;
    let add = [
        "contact",
        "add",
        "pat",
        "--name",
        "Pat",
        "--sms",
        "+447700900123",
    ];
    world.site.run(add).await;
    let group = [
        "group",
        "add",
        "ops",
        "--name",
        "Operations",
        "--contact",
        "ada",
    ];
    world.site.run(group).await;
    let key = world.site.key("monitor", &["--inspect"]).await;
    for (target, message, reply) in [
        ("contact/ada", "the first tea is ready", 201),
        ("contact/ada", "the second tea is cold", 410),
        ("group/ops", "=cmd|'/C calc'!A0", 201),
        ("contact/pat", "a text, with a \"comma\"", 201),
    ] {
        world.webhook.always(Reply::status(reply));
        let id = world.raise(target, &key, message).await;
        until("it was sent", async || {
            let state = world.notification(&id, &key).await["deliveries"][0]["state"].clone();
            (state != "queued" && state != "sending").then_some(())
        })
        .await;
    }
    world.log_in("guest", crate::world::PASSWORD).await;
    world.arrive("/admin").await;
    world
}

/// Returns the messages of the alerts in the log, newest first.
async fn shown(world: &World) -> Vec<String> {
    let words = "return [...document.querySelectorAll('.words')].map(words => words.innerText)";
    let words = world.browser.execute(words).await;
    serde_json::from_value(words).unwrap()
}

const FIRST: &str = "the first tea is ready";
const SECOND: &str = "the second tea is cold";
const FORMULA: &str = "=cmd|'/C calc'!A0";
const TEXT: &str = "a text, with a \"comma\"";

#[tokio::test(flavor = "multi_thread")]
async fn log_filters_select_matching_alerts() {
    let world = with_log().await;
    let browser = &world.browser;
    world.visit("/admin/log").await;
    assert_eq!(shown(&world).await, [TEXT, FORMULA, SECOND, FIRST]);
    for (field, value, wanted) in [
        ("q", "tea", &[SECOND, FIRST][..]),
        ("q", "+447700900123", &[TEXT]),
        ("q", "%", &[]),
        ("state", "failed", &[SECOND]),
        ("state", "delivered", &[FORMULA, FIRST]),
        ("channel", "sms", &[TEXT]),
        ("gateway", "hooks", &[FORMULA, SECOND, FIRST]),
        ("contact", "pat", &[TEXT]),
        ("target", "group/ops", &[FORMULA]),
        ("since", "2020-01-01T00:00", &[TEXT, FORMULA, SECOND, FIRST]),
        ("until", "2020-01-01T00:00", &[]),
    ] {
        world.visit("/admin/log").await;
        browser
            .execute("document.querySelector('.sift details').open = true")
            .await;
        let css = format!(".sift [name={field}]");
        match field {
            "state" | "channel" | "gateway" => browser.choose(&css, value).await,
            // Typing into a date field depends on the locale.
            "since" | "until" => {
                let set = format!("document.querySelector({css:?}).value = {value:?}");
                browser.execute(&set).await;
            }
            _ => browser.fill(&css, value).await,
        }
        browser.submit(".sift").await;
        until("the log is filtered", async || {
            world
                .path()
                .await
                .contains(&format!("{field}="))
                .then_some(())
        })
        .await;
        assert_eq!(shown(&world).await, wanted, "{field}={value}");
    }
    world
        .visit("/admin/log?state=failed&q=tea&channel=webhook&contact=ada")
        .await;
    assert_eq!(shown(&world).await, [SECOND]);
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_the_timeline_of_a_notification_and_exports_the_log() {
    let world = with_log().await;
    world.visit("/admin/log?state=failed").await;
    world.browser.click("th a").await;
    world.says(".timeline", "Attempt 1 via hooks").await;
    world.says(".timeline", "Refused").await;
    world.says(".timeline", "410").await;
    world.page_says(SECOND).await;
    world.page_says("monitor").await;

    world.visit("/admin/log").await;
    let link = "return document.querySelector('.head a').getAttribute('href')";
    let link = world.browser.execute(link).await;
    let table = world.get(link.as_str().unwrap()).await.expect(200);
    let disposition = &table.headers["content-disposition"];
    assert_eq!(disposition, "attachment; filename=\"redflash-log.csv\"");
    let lines: Vec<&str> = table.body.lines().collect();
    assert_eq!(lines.len(), 5, "{}", table.body);
    assert!(
        lines[0].starts_with("\u{feff}raised_at,notification,target,"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].ends_with(",\"a text, with a \"\"comma\"\"\""),
        "{}",
        lines[1]
    );
    assert!(lines[1].contains(",'+447700900123,"), "{}", lines[1]);
    assert!(lines[2].ends_with(",'=cmd|'/C calc'!A0"), "{}", lines[2]);

    world.visit("/admin/log?state=failed&channel=webhook").await;
    let link = "return document.querySelector('.head a').getAttribute('href')";
    let link = world.browser.execute(link).await;
    let table = world.get(link.as_str().unwrap()).await.expect(200);
    assert_eq!(table.body.lines().count(), 2, "{}", table.body);
}
