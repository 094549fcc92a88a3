//! `/api/v1/notifications`.

use serde_json::{Value, json};

use super::world::{Who, World, refused};

/// Raises an alert to Ann and one to a contact that rejects it, waits until both end, and returns their
/// ids.
async fn raised() -> (World, [String; 2]) {
    let world = World::start().await;
    let mut ids = [String::new(), String::new()];
    for (id, slug) in ids.iter_mut().zip(["ann", "refuse"]) {
        world.contact(slug).await;
        let path = format!("contacts/{slug}/messages?wait=30s");
        let text = format!("{{\"message\":\"Disk of {slug}\"}}");
        let raised = world.send(Who::Plain, "POST", &path, &[], &text).await;
        raised.json()["notification_id"]
            .as_str()
            .unwrap()
            .clone_into(id);
    }
    (world, ids)
}

fn ids(page: &Value) -> Vec<&str> {
    let found = page["notifications"].as_array().unwrap().iter();
    found.map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn filters_notifications() {
    let (world, [ann, refuse]) = raised().await;
    let found = world.get("notifications").await;
    assert_eq!(ids(&found), [&refuse, &ann]);
    let newest = &found["notifications"][0];
    assert_eq!(newest["deliveries"][0]["state"], "failed");
    assert_eq!(newest["raised_by"], "plain");
    assert_eq!(newest["plan"]["message"]["body"], "Disk of refuse");
    let at = newest["raised_at"].as_i64().unwrap();
    let first = found["notifications"][1]["raised_at"].as_i64().unwrap();
    let both = [&*refuse, &*ann];
    for (query, expected) in [
        ("state=failed".into(), &both[..1]),
        ("state=sent".into(), &both[1..]),
        ("contact=ann".into(), &both[1..]),
        ("channel=pager".into(), &both[..]),
        ("channel=sms".into(), &[]),
        ("gateway=pager".into(), &both[..]),
        ("target=contact/refuse".into(), &both[..1]),
        ("text=disk+OF+ann".into(), &both[1..]),
        (format!("since={}", at + 1), &[]),
        (format!("until={first}"), &[]),
        (format!("since={first}&until={}", at + 1), &both[..]),
        ("since=2000-01-01T00:00:00Z".into(), &both[..]),
        ("until=2000-01-01T02:00:00%2B02:00".into(), &[]),
        ("contact=nobody".into(), &[]),
    ] {
        let found = world.get(&format!("notifications?{query}")).await;
        assert_eq!(ids(&found), expected, "{query}");
    }
    let page = world.get("notifications?limit=1").await;
    assert_eq!(ids(&page), [&refuse]);
    let next = page["next"].as_str().unwrap();
    let page = world
        .get(&format!("notifications?limit=1&cursor={next}"))
        .await;
    assert_eq!(ids(&page), [&ann]);
}

#[tokio::test]
async fn rejects_invalid_filters() {
    let world = World::start().await;
    for field in [
        "state", "contact", "channel", "gateway", "target", "since", "until", "limit", "cursor",
    ] {
        let path = format!("notifications?{field}=no+such");
        let answer = world.ask("GET", &path, &Value::Null).await;
        refused(&answer, 422, "invalid", field);
    }
    let before = world
        .ask("GET", "notifications?before=x", &Value::Null)
        .await;
    refused(&before, 422, "invalid", "before");
}

#[tokio::test]
async fn shows_notification_by_permission() {
    let (world, [ann, refuse]) = raised().await;
    let whole = world.get(&format!("notifications/{refuse}")).await;
    let delivery = &whole["deliveries"][0];
    assert_eq!(delivery["attempts_made"][0]["outcome"], "permanent");
    let path = format!("notifications/{ann}");
    let own = world
        .send(Who::Plain, "GET", &path, &[], "")
        .await
        .expect(200);
    assert_eq!(own.json()["states"], json!({"sent": 1}));
    assert!(!own.body.contains("p-ann"), "{}", own.body);
    let new = json!({"slug": "other"});
    let other = world.ask("POST", "keys", &new).await.expect(201).json();
    let secret = other["secret"].as_str().unwrap();
    let foreign = world
        .client
        .get_as(&format!("/api/v1/{path}"), secret)
        .await;
    refused(&foreign, 404, "unknown_notification", "");
    let all = world
        .send(Who::Plain, "GET", "notifications", &[], "")
        .await;
    refused(&all, 403, "not_allowed", "");
    for nothing in ["x", "01935a2b7c3d7e8f9a0b1c2d3e000000"] {
        let answer = world
            .ask("GET", &format!("notifications/{nothing}"), &Value::Null)
            .await;
        refused(&answer, 404, "unknown_notification", "");
    }
}

#[tokio::test]
async fn resends_failed_deliveries() {
    let (world, [ann, refuse]) = raised().await;
    let resend = async |id: &str, body: Value| {
        world
            .ask("POST", &format!("notifications/{id}/resend"), &body)
            .await
    };
    let delivery = async |id: &str| {
        let whole = world.get(&format!("notifications/{id}")).await;
        whole["deliveries"][0]["id"].clone()
    };
    // Successful deliveries are not resent.
    let nothing = resend(&ann, json!({})).await.expect(200);
    assert_eq!(nothing.json(), json!({"resent": 0}));
    let foreign = json!({"delivery": delivery(&ann).await});
    refused(
        &resend(&refuse, foreign).await,
        409,
        "unknown_reference",
        "delivery",
    );
    refused(
        &resend(&refuse, json!({"delivery": "x"})).await,
        422,
        "invalid",
        "delivery",
    );
    let unknown = "01935a2b7c3d7e8f9a0b1c2d3e000000";
    refused(
        &resend(unknown, json!({})).await,
        404,
        "unknown_notification",
        "",
    );
    assert_eq!(world.audit_log().await, Vec::<String>::new());
    let only = json!({"delivery": delivery(&refuse).await});
    let answer = resend(&refuse, only.clone()).await.expect(200);
    assert_eq!(answer.json(), json!({"resent": 1}));
    let id = only["delivery"].as_str().unwrap();
    let entry = format!("key/admin resent notification/{refuse} delivery {id}");
    assert_eq!(world.audit_log().await, [entry]);
    let path = format!("notifications/{refuse}/resend");
    let inspect = world.send(Who::Inspect, "POST", &path, &[], "{}").await;
    refused(&inspect, 403, "not_allowed", "");
}
