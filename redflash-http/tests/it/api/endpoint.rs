//! `/api/v1/contacts/…/endpoints`.

use redflash_core::Directory;
use redflash_tests::until;
use serde_json::{Value, json};

use super::world::{Who, World, refused};

#[tokio::test]
async fn an_endpoint_is_added_moved_switched_and_removed() {
    let world = World::start().await;
    world.contact("ann").await;
    let new = json!({"channel": "pager", "address": "p-1"});
    let made = world
        .ask("POST", "contacts/ann/endpoints", &new)
        .await
        .expect(201);
    let path = made.headers["location"].trim_start_matches("/api/v1/");
    assert_eq!(world.get(path).await, made.json());
    let again = world.ask("POST", "contacts/ann/endpoints", &new).await;
    refused(&again, 409, "exists", "");
    let taken = world.ask("PATCH", path, &json!({"address": "p-ann"})).await;
    refused(&taken, 409, "exists", "");
    let wrong = world.ask("PATCH", path, &json!({"address": "9"})).await;
    refused(&wrong, 422, "invalid", "address");
    let moved = json!({"address": "p-2", "enabled": false});
    let moved = world.ask("PATCH", path, &moved).await.expect(200).json();
    assert_eq!(
        (&moved["address"], &moved["enabled"]),
        (&json!("p-2"), &json!(false))
    );
    assert_eq!(moved["id"], made.json()["id"]);
    world.ask("DELETE", path, &Value::Null).await.expect(204);
    for method in ["GET", "DELETE"] {
        let gone = world.ask(method, path, &Value::Null).await;
        refused(&gone, 404, "not_found", "");
    }
    assert_eq!(world.told().await.len(), 3);
}

#[tokio::test]
async fn who_asked_for_silence_keeps_it_until_switched_on() {
    let world = World::start().await;
    let id = world.contact("ann").await;
    let mut contact = world
        .store
        .contact(&"ann".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    contact.endpoints[0].enabled = false;
    contact.endpoints[0].opted_out = Some("answered STOP".into());
    world.save(contact).await;
    let whole = world.get("contacts/ann").await;
    assert_eq!(whole["endpoints"][0]["opted_out"], "answered STOP");
    let put = async |whole: &Value| {
        let any = [("if-match", "*")];
        let answer = world
            .send(Who::Admin, "PUT", "contacts/ann", &any, &whole.to_string())
            .await;
        answer.expect(200).json()
    };
    assert_eq!(put(&whole).await, whole);
    let path = format!("contacts/ann/endpoints/{id}");
    let on = world
        .ask("PATCH", &path, &json!({"enabled": true}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&on["enabled"], &on["opted_out"]),
        (&json!(true), &Value::Null)
    );
    // What was read before is no wish to be silent.
    let off = put(&whole).await;
    assert_eq!(off["endpoints"][0]["opted_out"], Value::Null);
}

#[tokio::test]
async fn an_endpoint_is_tried_out_alone() {
    let world = World::start().await;
    let id = world.contact("ann").await;
    let second = json!({"channel": "pager", "address": "p-2"});
    world
        .ask("POST", "contacts/ann/endpoints", &second)
        .await
        .expect(201);
    let path = format!("contacts/ann/endpoints/{id}/test");
    let tried = world
        .ask("POST", &path, &json!({"message": "hello"}))
        .await
        .expect(201);
    assert_eq!(
        (&tried.json()["queued"], &tried.json()["skipped"]),
        (&json!(1), &json!(1))
    );
    let location = tried.headers["location"]
        .trim_start_matches("/api/v1/")
        .to_owned();
    let sent = async || {
        let notification = world.get(&location).await;
        (notification["deliveries"][0]["state"] == "sent").then_some(notification)
    };
    let notification = until("the test is sent", sent).await;
    assert_eq!(notification["plan"]["message"]["body"], "hello");
    assert_eq!(notification["raised_by"], "admin");
    assert_eq!(
        world.told().await[0],
        "key/admin tested contact/ann pager p-ann"
    );
    let off = json!({"enabled": false});
    world
        .ask("PATCH", &format!("contacts/ann/endpoints/{id}"), &off)
        .await
        .expect(200);
    let answer = world.ask("POST", &path, &json!({})).await;
    refused(&answer, 422, "no_recipients", "");
    assert_eq!(answer.json()["recipients"][0]["contact"], "ann");
}
