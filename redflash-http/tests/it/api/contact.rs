//! `/api/v1/contacts`, and the behavior that all resources of the directory share.

use serde_json::{Value, json};

use super::world::{Who, World, refused};

#[tokio::test]
async fn creates_changes_and_removes_contact() {
    let world = World::start().await;
    let new = json!({
        "slug": "ann",
        "name": " Ann Archer",
        "endpoints": [{"channel": "pager", "address": "p-1"}],
    });
    let made = world.ask("POST", "contacts", &new).await.expect(201);
    assert_eq!(made.headers["location"], "/api/v1/contacts/ann");
    let contact = made.json();
    assert_eq!(
        (&contact["name"], &contact["enabled"]),
        (&json!("Ann Archer"), &json!(true))
    );
    assert_eq!(world.get("contacts/ann").await, contact);
    let off = world
        .ask("PATCH", "contacts/ann", &json!({"enabled": false}))
        .await
        .expect(200);
    assert_eq!(off.json()["enabled"], false);
    assert_eq!(off.json()["endpoints"], contact["endpoints"]);
    assert_ne!(off.headers["etag"], made.headers["etag"]);
    let gone = world
        .ask("DELETE", "contacts/ann", &Value::Null)
        .await
        .expect(204);
    assert_eq!(gone.body, "");
    let gone = world.ask("GET", "contacts/ann", &Value::Null).await;
    refused(&gone, 404, "not_found", "");
    let expected = [
        "key/admin removed contact/ann Ann Archer: pager p-1",
        "key/admin switched_off contact/ann",
        "key/admin added contact/ann Ann Archer: pager p-1",
    ];
    assert_eq!(world.audit_log().await, expected);
}

#[tokio::test]
async fn replaces_contact_of_known_revision() {
    let world = World::start().await;
    let id = world.contact("ann").await;
    let seen = world
        .ask("GET", "contacts/ann", &Value::Null)
        .await
        .expect(200);
    let tag = &seen.headers["etag"];
    let mut whole = seen.json();
    whole["name"] = "Ann Archer".into();
    whole["endpoints"]
        .as_array_mut()
        .unwrap()
        .push(json!({"channel": "pager", "address": "p-2"}));
    let body = whole.to_string();
    let put = async |headers: &[(&str, &str)]| {
        world
            .send(Who::Admin, "PUT", "contacts/ann", headers, &body)
            .await
    };
    refused(&put(&[]).await, 428, "if_match_required", "");
    // The header is missing, whatever else is.
    let incomplete = world
        .ask("PUT", "contacts/ann", &json!({"name": "A"}))
        .await;
    refused(&incomplete, 428, "if_match_required", "");
    refused(&put(&[("if-match", "ann")]).await, 400, "bad_if_match", "");
    let put_once = put(&[("if-match", tag)]).await.expect(200);
    assert_eq!(put_once.json()["endpoints"][0]["id"], id.to_string());
    assert_eq!(put_once.json()["endpoints"][1]["enabled"], true);
    refused(&put(&[("if-match", tag)]).await, 412, "outdated", "");
    // Without an id, the address identifies the endpoint.
    let again = put(&[("if-match", "*")]).await.expect(200);
    assert_eq!(again.json(), put_once.json());
    let outdated = [("if-match", &**tag)];
    for (method, body) in [("PATCH", "{\"enabled\":false}"), ("DELETE", "")] {
        let answer = world
            .send(Who::Admin, method, "contacts/ann", &outdated, body)
            .await;
        refused(&answer, 412, "outdated", "");
    }
}

#[tokio::test]
async fn responds_304_to_known_revision() {
    let world = World::start().await;
    world.contact("ann").await;
    let seen = world
        .ask("GET", "contacts/ann", &Value::Null)
        .await
        .expect(200);
    let headers = [("if-none-match", &*seen.headers["etag"])];
    let same = world
        .send(Who::Inspect, "GET", "contacts/ann", &headers, "")
        .await
        .expect(304);
    assert_eq!(
        (&*same.body, &same.headers["etag"]),
        ("", &seen.headers["etag"])
    );
    let head = world
        .send(Who::Inspect, "HEAD", "contacts/ann", &[], "")
        .await
        .expect(200);
    assert_eq!(
        (&*head.body, &head.headers["etag"]),
        ("", &seen.headers["etag"])
    );
    world
        .ask("PATCH", "contacts/ann", &json!({"name": "Anna"}))
        .await
        .expect(200);
    world
        .send(Who::Inspect, "GET", "contacts/ann", &headers, "")
        .await
        .expect(200);
}

#[tokio::test]
async fn lists_contacts_page_by_page() {
    let world = World::start().await;
    for slug in ["eve", "ann", "dan", "bob", "cat"] {
        world.contact(slug).await;
    }
    let slugs = |page: &Value| {
        let contacts = page["contacts"].as_array().unwrap().iter();
        contacts
            .map(|contact| contact["slug"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut seen = Vec::new();
    let mut path = "contacts?limit=2".to_owned();
    loop {
        let page = world.get(&path).await;
        assert!(slugs(&page).len() <= 2);
        seen.extend(slugs(&page));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("contacts?limit=2&cursor={next}");
    }
    assert_eq!(seen, ["ann", "bob", "cat", "dan", "eve"]);
    assert_eq!(slugs(&world.get("contacts?q=P-+DAN").await), ["dan"]);
    assert_eq!(
        world.get("contacts?q=nobody").await,
        json!({"contacts": [], "next": null})
    );
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("cursor=%20", "cursor"),
        ("cursor=", "cursor"),
        ("page=2", "page"),
        ("q=a&q=b", "q"),
    ] {
        let answer = world
            .ask("GET", &format!("contacts?{query}"), &Value::Null)
            .await;
        refused(&answer, 422, "invalid", field);
    }
}

#[tokio::test]
async fn names_invalid_field() {
    let world = World::start().await;
    world.contact("ann").await;
    let pager = |address: &str| json!({"channel": "pager", "address": address});
    for (method, path, body, field) in [
        (
            "POST",
            "contacts",
            json!({"slug": "a b", "name": "Ann"}),
            "slug",
        ),
        ("POST", "contacts", json!({"slug": "bob"}), "name"),
        (
            "POST",
            "contacts",
            json!({"slug": "bob", "name": "a\0b"}),
            "name",
        ),
        (
            "POST",
            "contacts",
            json!({"slug": "bob", "name": "Bob", "age": 7}),
            "age",
        ),
        ("PATCH", "contacts/ann", json!({"enabled": 1}), "enabled"),
        ("PATCH", "contacts/ann", json!({"name": null}), "name"),
        (
            "PATCH",
            "contacts/ann",
            json!({"endpoints": [pager("9")]}),
            "endpoints[0].address",
        ),
        (
            "PATCH",
            "contacts/ann",
            json!({"endpoints": [pager("p-1"), pager("p-1")]}),
            "endpoints[1].address",
        ),
    ] {
        let version = world.version().await;
        let answer = world.ask(method, path, &body).await;
        refused(&answer, 422, "invalid", field);
        assert_eq!(world.version().await, version, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn responds_404_to_unknown_resources() {
    let world = World::start().await;
    for (method, path) in [
        ("PATCH", "contacts/bob"),
        ("DELETE", "contacts/bob"),
        ("DELETE", "contacts/b%20b"),
        ("DELETE", "contacts/%ff"),
        ("GET", "contacts/bob/"),
        ("GET", "nothing"),
    ] {
        let body = if method == "PATCH" {
            json!({})
        } else {
            Value::Null
        };
        let answer = world.ask(method, path, &body).await;
        refused(&answer, 404, "not_found", "");
    }
}

#[tokio::test]
async fn responds_409_to_conflicts() {
    let world = World::start().await;
    world.contact("ann").await;
    let version = world.version().await;
    let ann = json!({"slug": "ann", "name": "Ann"});
    let answer = world.ask("POST", "contacts", &ann).await;
    refused(&answer, 409, "exists", "");
    let endpoint = json!({"id": "0".repeat(32), "channel": "pager", "address": "p"});
    let unknown = json!({"endpoints": [endpoint]});
    let answer = world.ask("PATCH", "contacts/ann", &unknown).await;
    refused(&answer, 409, "unknown_reference", "endpoints");
    let bob = json!({"slug": "bob", "name": "Bob", "enabled": true, "endpoints": []}).to_string();
    let any = [("if-match", "*")];
    let answer = world
        .send(Who::Admin, "PUT", "contacts/ann", &any, &bob)
        .await;
    refused(&answer, 409, "other_slug", "slug");
    assert_eq!(world.version().await, version);
}

#[tokio::test]
async fn rejects_body_that_is_no_json_object() {
    let world = World::start().await;
    let post = async |kind: &str, body: &str| {
        let headers = [("content-type", kind)];
        let bearer = format!("Bearer {}", world.secret(Who::Admin));
        let headers = [&headers[..], &[("authorization", &*bearer)]].concat();
        world
            .client
            .send("POST", "/api/v1/contacts", &headers, body)
            .await
    };
    let good = r#"{"slug":"ann","name":"Ann"}"#;
    for (kind, body, status, code) in [
        ("application/json", "{", 400, "bad_body"),
        ("application/json", "", 400, "bad_body"),
        ("application/json", "[]", 400, "bad_body"),
        (
            "application/json",
            r#"{"slug":"ann","slug":"ann","name":"Ann"}"#,
            400,
            "bad_body",
        ),
        ("text/plain", good, 415, "bad_content_type"),
        (
            "application/x-www-form-urlencoded",
            "slug=ann&name=Ann",
            415,
            "bad_content_type",
        ),
        (
            "application/json; charset=latin1",
            good,
            415,
            "bad_content_type",
        ),
        (
            "application/json",
            &format!("{good}{}", " ".repeat(4 * 1024 * 1024)),
            413,
            "too_large",
        ),
    ] {
        refused(&post(kind, body).await, status, code, "");
    }
    post("Application/JSON; charset=\"UTF-8\"", good)
        .await
        .expect(201);
}

#[tokio::test]
async fn enforces_permissions_of_keys() {
    let world = World::start().await;
    world.contact("ann").await;
    let version = world.version().await;
    for (who, method, path, body, status) in [
        (Who::Plain, "GET", "contacts", "", 403),
        (Who::Plain, "GET", "contacts/ann", "", 403),
        (Who::Plain, "GET", "contacts/nobody", "", 403),
        (
            Who::Inspect,
            "POST",
            "contacts",
            r#"{"slug":"bob","name":"Bob"}"#,
            403,
        ),
        (
            Who::Inspect,
            "PATCH",
            "contacts/ann",
            r#"{"enabled":false}"#,
            403,
        ),
        (Who::Inspect, "DELETE", "contacts/ann", "", 403),
        (Who::Inspect, "GET", "contacts", "", 200),
    ] {
        let answer = world.send(who, method, path, &[], body).await;
        assert_eq!(answer.status, status, "{who:?} {method} {path}");
    }
    for headers in [
        vec![],
        vec![("authorization", "Bearer rfk_wrong")],
        vec![("authorization", "x")],
    ] {
        let answer = world
            .client
            .send("DELETE", "/api/v1/contacts/ann", &headers, "")
            .await;
        refused(&answer, 401, "invalid_key", "");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    assert_eq!(world.version().await, version);
}

#[tokio::test]
async fn lists_allowed_methods() {
    let world = World::start().await;
    for (method, path, allowed) in [
        ("DELETE", "contacts", vec!["GET", "HEAD", "POST"]),
        (
            "POST",
            "contacts/ann",
            vec!["DELETE", "GET", "HEAD", "PATCH", "PUT"],
        ),
        ("OPTIONS", "contacts", vec!["GET", "HEAD", "POST"]),
        ("TRACE", "openapi.json", vec!["GET", "HEAD"]),
    ] {
        let answer = world.send(Who::Admin, method, path, &[], "").await;
        refused(&answer, 405, "method_not_allowed", "");
        let mut allow: Vec<_> = answer.headers["allow"].split(',').map(str::trim).collect();
        allow.sort_unstable();
        assert_eq!(allow, allowed, "{method} {path}");
    }
}
