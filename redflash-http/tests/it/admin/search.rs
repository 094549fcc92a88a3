//! The search page.

use super::world::World;
use crate::login::{HOSTILE, Who, says};

#[tokio::test]
async fn finds_text_in_all_kinds() {
    let world = World::start().await;
    world.contact("ann", "Ann Example").await;
    world.group("annals", &["ann"]).await;
    world
        .event("planning", "hi {{{who}}}", "ann", "annals")
        .await;
    world.key("annoying").await;
    for number in 0..10 {
        world.contact(&format!("many-{number}"), HOSTILE).await;
    }
    let page = world.page("/admin/search?q=AnN").await;
    let places = [
        "contacts/ann",
        "groups/annals",
        "events/planning",
        "keys/annoying",
    ];
    for place in places {
        says(&page, &[&format!("href=\"/admin/{place}\"")]);
    }
    assert!(!page.contains("many-0"));
    let viewer = world
        .get_as(Who::Viewer, "/admin/search?q=ann")
        .await
        .expect(200);
    says(&viewer.body, &["contacts/ann"]);
    assert!(!viewer.body.contains("annoying"));
    says(
        &world.page("/admin/search?q=p-a%20nn").await,
        &["contacts/ann"],
    );
    says(
        &world.page("/admin/search?q=pager").await,
        &["/admin/gateways/pager"],
    );
    says(
        &world.page("/admin/search?q=guest").await,
        &["/admin/users/guest"],
    );
    let many = world.page("/admin/search?q=many").await;
    says(
        &many,
        &[
            "View all 10",
            "/admin/contacts?q&#x3D;many",
            "&lt;script&gt;",
        ],
    );
    assert_eq!(many.matches("href=\"/admin/contacts/many").count(), 8);
}

#[tokio::test]
async fn id_redirects_to_notification_and_words_find_messages() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    let key = world.key("app").await;
    let fields = [("message", "the disk is full")];
    let id = world
        .client
        .raise("contact/ann", &key, &fields)
        .await
        .expect(201)
        .notification();
    let delivery = format!("{}000001", &id[..26]);
    for text in [&id, &delivery] {
        let found = world
            .get_as(Who::Admin, &format!("/admin/search?q=%20{text}"))
            .await
            .expect(303);
        assert_eq!(found.headers["location"], format!("/admin/log/{id}"));
    }
    let page = world.page("/admin/search?q=Disk+IS").await;
    let log = format!("href=\"/admin/log/{id}\"");
    says(&page, &[&log, "/admin/log?q&#x3D;Disk+IS"]);
}

#[tokio::test]
async fn escapes_query_without_results() {
    let world = World::start().await;
    says(
        &world.page("/admin/search").await,
        &["<h2>Search everything</h2>"],
    );
    says(
        &world.page("/admin/search?q=%20").await,
        &["<h2>Search everything</h2>"],
    );
    for text in [
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "%00",
        "%FF%FE",
        "'%20OR%201=1",
        &"x".repeat(5_000),
    ] {
        let page = world.page(&format!("/admin/search?q={text}")).await;
        says(&page, &["No results"]);
    }
    let unknown = "0".repeat(32);
    says(
        &world.page(&format!("/admin/search?q={unknown}")).await,
        &["No results"],
    );
}
