//! `/api/v1/audit`.

use serde_json::{Value, json};

use super::world::{World, refused};

#[tokio::test]
async fn lists_audit_entries_page_by_page() {
    let world = World::start().await;
    for slug in ["ann", "bob", "cat"] {
        let new = json!({"slug": slug, "name": slug});
        world.ask("POST", "contacts", &new).await.expect(201);
    }
    let off = json!({"enabled": false});
    world.ask("PATCH", "contacts/ann", &off).await.expect(200);
    let lines = |page: &Value| {
        let entries = page["entries"].as_array().unwrap().iter();
        let line = |entry: &Value| {
            format!("{} {} {}", entry["by"], entry["action"], entry["subject"]).replace('"', "")
        };
        entries.map(line).collect::<Vec<_>>()
    };
    let first = world.get("audit?limit=3").await;
    assert_eq!(
        lines(&first),
        [
            "key/admin switched_off contact/ann",
            "key/admin added contact/cat",
            "key/admin added contact/bob",
        ]
    );
    let next = first["next"].as_str().unwrap();
    let last = world.get(&format!("audit?limit=3&cursor={next}")).await;
    assert_eq!(lines(&last), ["key/admin added contact/ann"]);
    assert_eq!(last["next"], Value::Null);
    let ann = world.get("audit?subject=contact/ann&by=key/admin").await;
    assert_eq!(
        lines(&ann),
        [
            "key/admin switched_off contact/ann",
            "key/admin added contact/ann",
        ]
    );
    for nothing in ["subject=contact/a", "by=user/admin", "subject="] {
        let found = world.get(&format!("audit?{nothing}")).await;
        assert_eq!(found, json!({"entries": [], "next": null}), "{nothing}");
    }
    for (query, field) in [
        ("by=ann", "by"),
        ("cursor=ann", "cursor"),
        ("limit=0", "limit"),
        ("subject=%00", "subject"),
        ("q=ann", "q"),
    ] {
        let answer = world
            .ask("GET", &format!("audit?{query}"), &Value::Null)
            .await;
        refused(&answer, 422, "invalid", field);
    }
}
