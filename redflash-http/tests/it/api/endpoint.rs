//! `/api/v1/contacts/…/endpoints`.

use redflash_core::clock::Timestamp;
use redflash_core::model::{Address, Contact, EndpointId};
use redflash_core::store::Directory;
use redflash_tests::until;
use serde_json::{Value, json};

use super::world::{Who, World, refused};

#[tokio::test]
async fn creates_changes_and_removes_endpoint() {
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
    assert_eq!(world.audit_log().await.len(), 3);
}

#[tokio::test]
async fn keeps_opt_out_until_enabled() {
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
    // An opt-out that is sent back does not opt out again.
    let off = put(&whole).await;
    assert_eq!(off["endpoints"][0]["opted_out"], Value::Null);
}

#[tokio::test]
async fn tests_one_endpoint() {
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
        world.audit_log().await[0],
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

#[tokio::test]
async fn warns_of_channel_without_gateway() {
    let world = World::start().await;
    let mut ann = Contact::new("ann".parse().unwrap(), "Ann".parse().unwrap());
    for (number, channel) in (1..).zip(["mail", "pagr", "pager"]) {
        let id = EndpointId::new(Timestamp::from_millis(number));
        let address = Address::new("p-1").unwrap();
        ann = ann.with_endpoint(id, channel.parse().unwrap(), address);
    }
    world.save(ann).await;
    let name = json!({"name": "Ann Archer"});
    let changed = world.ask("PATCH", "contacts/ann", &name).await;
    let warnings = changed.expect(200).json()["warnings"].take();
    let all: Vec<_> = warnings.as_array().unwrap().iter().collect();
    assert_eq!(all.len(), 2, "{warnings}");
    for (warning, meant) in all.iter().zip(["email", "pager"]) {
        let hint = format!("did you mean {meant}?");
        assert!(warning.as_str().unwrap().ends_with(&hint), "{warning}");
    }
    assert!(world.get("contacts/ann").await.get("warnings").is_none());
    let well = json!({"channel": "pager", "address": "p-7"});
    let made = world.ask("POST", "contacts/ann/endpoints", &well).await;
    assert!(made.expect(201).json().get("warnings").is_none());
}
