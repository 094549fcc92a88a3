//! The list of notifications.

use crate::admin::delivery_world::{World, older};
use crate::login::{HOSTILE, lacks, says};

#[tokio::test]
async fn lists_and_filters_notifications() {
    let world = World::start().await;
    let empty = world.page("/admin/log").await;
    says(&empty, &["No alerts yet"]);
    world.contact("ann", "Ann Example", &["a-1", "a-2"]).await;
    world.contact("bob", HOSTILE, &["refuse-1"]).await;
    let ann = world.tell("ann", "The disk is full").await;
    let bob = world.tell("bob", HOSTILE).await;
    let all = world.page("/admin/log").await;
    says(
        &all,
        &[
            "The disk is full",
            "&lt;script&gt;",
            "2 sent<",
            "contact/ann",
        ],
    );
    let ann = format!("/admin/log/{ann}");
    let bob = format!("/admin/log/{bob}");
    assert!(
        all.find(&bob).unwrap() < all.find(&ann).unwrap(),
        "not newest first"
    );
    for (query, found, other) in [
        ("q=DISK", &ann, &bob),
        ("q=a-2", &ann, &bob),
        ("state=failed", &bob, &ann),
        ("state=sent&channel=pager&gateway=first", &ann, &bob),
        ("contact=bob", &bob, &ann),
        ("target=contact%2Fann&since=2020-01-01", &ann, &bob),
    ] {
        let page = world.page(&format!("/admin/log?{query}")).await;
        says(&page, &[found]);
        lacks(&page, other);
    }
    for query in ["until=2020-01-01", "since=2100-01-01T00:00", "channel=sms"] {
        let page = world.page(&format!("/admin/log?{query}")).await;
        says(&page, &["No results", "/admin/log.csv?"]);
    }
}

#[tokio::test]
async fn explains_invalid_query() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a"]).await;
    world.tell("ann", "hello").await;
    let page = world
        .page("/admin/log?target=ann&since=soon&until=%00")
        .await;
    says(
        &page,
        &[
            "hello",
            "ann&quot; is not a target",
            "Enter a time such as",
            "value=\"soon\"",
        ],
    );
    for absurd in [
        "page=1000000000000000000&sort=x",
        "before=x&state=lost&channel=%F0%9F%92%A9&gateway=..",
        "contact=%3Cscript%3E&state=%3Cscript%3E",
        "since=9999-12-31&until=-9999-01-01",
    ] {
        let page = world.page(&format!("/admin/log?{absurd}")).await;
        says(&page, &["<h1>Log</h1>"]);
    }
    world.page("/admin/log?q=%00%1b%E2%80%AE").await;
}

#[tokio::test]
async fn paginates_log() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a"]).await;
    for number in 0..60 {
        world.tell("ann", &format!("number {number} of many")).await;
    }
    let first = world.page("/admin/log?q=many").await;
    says(&first, &["number 59 of many", "number 10 of many"]);
    lacks(&first, "number 9 of many");
    let link = older(&first).unwrap();
    assert!(link.starts_with("/admin/log?q=many&before="), "{link}");
    let second = world.page(&link).await;
    says(
        &second,
        &["number 9 of many", "number 0 of many", "← Newest"],
    );
    lacks(&second, "number 10 of many");
    lacks(&second, "rel=\"next\"");
}

#[tokio::test]
async fn empty_page_links_to_older_entries() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a"]).await;
    world.tell("ann", "the needle").await;
    for _ in 0..redflash_core::store::LogFilter::LOOKED_THROUGH {
        let raise = redflash_core::message::Raise::contact("ann".parse().unwrap(), "hay");
        world.engine.raise(raise).await.unwrap();
    }
    let page = world.page("/admin/log?q=needle").await;
    says(&page, &["No matches since", "Search older alerts"]);
    let link = older(&page).unwrap();
    says(&world.page(&link).await, &["the needle"]);
}
