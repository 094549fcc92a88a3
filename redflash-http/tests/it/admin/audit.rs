//! The audit log page.

use redflash_core::clock::Timestamp;
use redflash_core::model::{Action, Actor, AuditEntry};
use redflash_core::store::Audit;

use super::world::World;
use crate::login::{HOSTILE, Who, says};

async fn record(world: &World, by: Actor, count: usize, subject: &str) {
    let change = |number| {
        let at = Timestamp::from_millis(number);
        AuditEntry::new(
            at,
            by.clone(),
            Action::Changed,
            subject,
            format!("change {number}."),
        )
    };
    let changes: Vec<_> = (1..).take(count).map(change).collect();
    world.store.record_audit(&changes).await.unwrap();
}

#[tokio::test]
async fn lists_changes_with_actor_and_link() {
    let world = World::start().await;
    says(&world.page("/admin/audit").await, &["No changes yet"]);
    let fields = [("slug", "ann"), ("name", HOSTILE), ("once", "1")];
    world.done("/admin/contacts", &fields).await;
    let fields = [("slug", "app"), ("scope", "all")];
    world.post("/admin/keys", &fields).await.expect(200);
    let page = world.page("/admin/audit").await;
    let links = ["href=\"/admin/contacts/ann\"", "href=\"/admin/keys/app\""];
    says(&page, &links);
    says(
        &page,
        &[
            "user/boss",
            "added",
            "&lt;script&gt;",
            "actor&#x3D;user%2Fboss",
        ],
    );
    let page = world.get_as(Who::Viewer, "/admin/audit").await.expect(200);
    says(&page.body, &links[..1]);
    assert!(!page.body.contains(links[1]), "a viewer sees no keys");
}

#[tokio::test]
async fn filters_changes_by_subject_and_actor() {
    let world = World::start().await;
    record(&world, Actor::User("bob".into()), 2, "contact/ann").await;
    record(&world, Actor::Key("app".into()), 3, "group/both").await;
    let count = async |query: &str| {
        let page = world.page(&format!("/admin/audit?{query}")).await;
        page.matches("change ").count()
    };
    assert_eq!(count("").await, 5);
    assert_eq!(count("subject=contact/ann").await, 2);
    assert_eq!(count("subject=%20contact/ann%20&actor=").await, 2);
    assert_eq!(count("actor=key/app").await, 3);
    assert_eq!(count("actor=bob").await, 2);
    assert_eq!(count("actor=bob&subject=group/both").await, 0);
    assert_eq!(count("before=x&page=1000000000000000000&sort=%00").await, 5);
    let none = world.page("/admin/audit?subject=contact/nobody").await;
    says(&none, &["No results", "value=\"contact/nobody\""]);
    let hostile = "/admin/audit?subject=%3Cscript%3Ealert(1)%3C/script%3E&actor=%3Cscript%3E";
    says(&world.page(hostile).await, &["No results"]);
}

#[tokio::test]
async fn paginates_changes() {
    let world = World::start().await;
    record(&world, Actor::User("bob".into()), 120, "contact/ann").await;
    let mut path = "/admin/audit?subject=contact%2Fann".to_owned();
    let mut seen = Vec::new();
    for page in 0..3 {
        let html = world.page(&path).await;
        assert_eq!(html.contains("rel=\"prev\""), page > 0);
        let numbers = html.split("change ").skip(1);
        seen.extend(numbers.map(|rest| rest.split_once('.').unwrap().0.parse::<u32>().unwrap()));
        match html.split_once("rel=\"next\" href=\"") {
            Some((_, rest)) => {
                let (next, _) = rest.split_once('"').unwrap();
                path = next.replace("&#x3D;", "=").replace("&amp;", "&");
            }
            None => assert_eq!(page, 2),
        }
    }
    assert_eq!(seen, (1..=120).rev().collect::<Vec<_>>());
}
