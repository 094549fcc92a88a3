//! `/api/v1/events`, and the preview of unsaved events.

use serde_json::{Value, json};

use super::world::{Who, World, refused};

#[tokio::test]
async fn creates_changes_and_removes_event() {
    let world = World::start().await;
    world.contact("ann").await;
    let new = json!({
        "slug": "disk",
        "name": "Disk full",
        "message": "{{host}} is full",
        "subject": "Disk",
        "contacts": ["ann"],
    });
    let made = world.ask("POST", "events", &new).await.expect(201).json();
    assert_eq!(
        (&made["description"], &made["sender"], &made["groups"]),
        (&json!(""), &Value::Null, &json!([]))
    );
    assert_eq!(made["missing_arguments"], "mark");
    let path = "events/disk";
    let plain = json!({"subject": null, "description": "Look\nat it"});
    let plain = world.ask("PATCH", path, &plain).await.expect(200).json();
    assert_eq!(
        (&plain["subject"], &plain["message"]),
        (&Value::Null, &made["message"])
    );
    let any = [("if-match", "*")];
    let put = async |whole: &Value| {
        let body = whole.to_string();
        world.send(Who::Admin, "PUT", path, &any, &body).await
    };
    assert_eq!(put(&made).await.expect(200).json(), made);
    let mut part = made.clone();
    part.as_object_mut().unwrap().remove("sender");
    refused(&put(&part).await, 422, "invalid", "sender");
    for (choice, status) in [("blank", 200), ("refuse", 200), ("guess", 422), ("", 422)] {
        let change = json!({"missing_arguments": choice});
        let answer = world.ask("PATCH", path, &change).await.expect(status);
        if status == 200 {
            assert_eq!(answer.json()["missing_arguments"], choice);
        }
    }
    world.ask("DELETE", path, &Value::Null).await.expect(204);
}

#[tokio::test]
async fn rejects_invalid_template_with_its_line() {
    let world = World::start().await;
    let broken = "fine\n{{#if host}}";
    let new = json!({"slug": "disk", "name": "Disk", "message": broken});
    let saved = world.ask("POST", "events", &new).await;
    refused(&saved, 422, "invalid", "message");
    assert_eq!(saved.json()["errors"][0]["line"], 2);
    let tried = json!({"event": {"message": broken}});
    let tried = world.ask("POST", "preview", &tried).await;
    refused(&tried, 422, "invalid", "event.message");
    assert_eq!(tried.json()["errors"][0]["line"], 2);
    let blank = json!({"event": {"subject": "x"}});
    let blank = world.ask("POST", "preview", &blank).await;
    refused(&blank, 422, "invalid", "event.message");
}

#[tokio::test]
async fn previews_unsaved_event() {
    let world = World::start().await;
    world.contact("ann").await;
    let version = world.version().await;
    let preview = json!({
        "event": {"message": "{{host}} is full", "contacts": ["ann", "nobody"]},
        "arguments": {"host": "db1"},
    })
    .to_string();
    let answer = world.send(Who::Inspect, "POST", "preview", &[], &preview);
    let plan = answer.await.expect(200).json();
    assert_eq!(plan["message"]["body"], "db1 is full");
    assert_eq!(plan["recipients"][0]["contact"], "ann");
    assert_eq!(plan["recipients"].as_array().unwrap().len(), 1);
    assert_eq!(world.version().await, version);
    assert_eq!(world.get("events").await["events"], json!([]));
}

#[tokio::test]
async fn warns_of_argument_named_like_helper() {
    let world = World::start().await;
    let new = json!({"slug": "disk", "name": "Disk", "message": "{{lower}}"});
    let made = world.ask("POST", "events", &new).await.expect(201).json();
    assert_eq!(made["warnings"].as_array().unwrap().len(), 1);
    assert!(world.get("events/disk").await.get("warnings").is_none());
    let message = json!({"message": "{{lower host}}"});
    let changed = world
        .ask("PATCH", "events/disk", &message)
        .await
        .expect(200);
    assert!(changed.json().get("warnings").is_none());
    let zone = json!({"message": "{{date \"%H\" \"Europe/Berln\"}}"});
    let answer = world.ask("PATCH", "events/disk", &zone).await;
    refused(&answer, 422, "invalid", "message");
    assert!(answer.body.contains("Europe/Berlin"), "{}", answer.body);
}
