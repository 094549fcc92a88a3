//! `/api/v1/groups`.

use serde_json::{Value, json};

use super::world::{Who, World, refused};

#[tokio::test]
async fn creates_changes_and_removes_group() {
    let world = World::start().await;
    world.contact("ann").await;
    world.contact("bob").await;
    let new = json!({"slug": "crew", "name": "Crew", "contacts": ["bob", "ann"]});
    let made = world.ask("POST", "groups", &new).await.expect(201);
    assert_eq!(made.headers["location"], "/api/v1/groups/crew");
    let mut group = made.json();
    assert_eq!(group["contacts"], json!(["bob", "ann"]));
    assert_eq!(world.get("groups?q=CREW").await["groups"], json!([group]));
    let off = json!({"enabled": false});
    world.ask("PATCH", "groups/crew", &off).await.expect(200);
    group["contacts"] = json!(["ann"]);
    let tag = [("if-match", &*made.headers["etag"])];
    let body = group.to_string();
    let outdated = world
        .send(Who::Admin, "PUT", "groups/crew", &tag, &body)
        .await;
    refused(&outdated, 412, "outdated", "");
    let any = [("if-match", "*")];
    let put = world
        .send(Who::Admin, "PUT", "groups/crew", &any, &body)
        .await;
    assert_eq!(put.expect(200).json(), group);
    world
        .ask("DELETE", "groups/crew", &Value::Null)
        .await
        .expect(204);
    assert_eq!(world.get("groups").await["groups"], json!([]));
    assert_eq!(world.audit_log().await.len(), 4);
}

#[tokio::test]
async fn rejects_unknown_and_repeated_contacts() {
    let world = World::start().await;
    world.contact("ann").await;
    let post = async |contacts: Value| {
        let new = json!({"slug": "crew", "name": "Crew", "contacts": contacts});
        world.ask("POST", "groups", &new).await
    };
    refused(
        &post(json!(["ann", "eve"])).await,
        409,
        "unknown_reference",
        "contacts",
    );
    refused(
        &post(json!(["ann", "ann"])).await,
        422,
        "invalid",
        "contacts[1]",
    );
    refused(&post(json!(["a b"])).await, 422, "invalid", "contacts[0]");
    refused(&post(json!("ann")).await, 422, "invalid", "contacts");
    assert_eq!(world.get("groups").await["groups"], json!([]));
}
