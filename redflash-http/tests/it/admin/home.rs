//! The dashboard.

use redflash_tests::until;

use super::world::World;
use crate::login::{HOSTILE, Who, says};

#[tokio::test]
async fn shows_first_steps_of_new_installation() {
    let world = World::start().await;
    let page = world.page("/admin").await;
    says(
        &page,
        &["No contacts yet", "/admin/new/contact", "No attempts."],
    );
    let page = world.get_as(Who::Viewer, "/admin").await.expect(200);
    assert!(!page.body.contains("/admin/new/contact") && !page.body.contains("Send alert"));
}

#[tokio::test]
async fn shows_page_for_unknown_url() {
    let world = World::start().await;
    let page = world.get_as(Who::Viewer, "/admin/nonsense/x").await;
    says(
        &page.expect(404).body,
        &["<h1>Not found</h1>", "page at this URL"],
    );
    let home = world.get_as(Who::Viewer, "/admin/").await;
    says(&home.expect(200).body, &["<h1>Home</h1>"]);
}

#[tokio::test]
async fn shows_no_problems_if_all_is_sent() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    says(
        &world.page("/admin").await,
        &["All systems normal", "None in the last 24 hours"],
    );
    let key = world.key("app").await;
    world
        .client
        .raise("contact/ann?wait=5s", &key, &[("message", "hi")])
        .await
        .expect(201);
    let page = until("the page counts what was sent", async || {
        let page = world.page("/admin").await;
        page.contains("1 attempt: 1 sent.").then_some(page)
    })
    .await;
    says(
        &page,
        &[
            "All systems normal",
            "href=\"/admin/log?state&#x3D;sent\">1<",
            "/admin/gateways/pager",
        ],
    );
}

#[tokio::test]
async fn shows_failures_and_disabled_items() {
    let world = World::start().await;
    world.contact("refuse", HOSTILE).await;
    world.contact("bob", HOSTILE).await;
    let key = world.key("app").await;
    let fields = [("message", HOSTILE)];
    world
        .client
        .raise("contact/refuse?wait=5s", &key, &fields)
        .await;
    world
        .done("/admin/contacts/bob/switch", &[("enabled", "false")])
        .await;
    let page = until("the page shows what failed", async || {
        let page = world.page("/admin").await;
        page.contains("state&#x3D;failed\">1<").then_some(page)
    })
    .await;
    assert!(!page.contains("All systems normal"));
    says(
        &page,
        &[
            "<dt>1 contact</dt>",
            "/admin/contacts/bob",
            "href=\"/admin/log/0",
            "badge failed",
        ],
    );
}
