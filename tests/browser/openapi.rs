//! The API of the real server, checked against its `OpenAPI` document.

use redflash_tests::{Config, Schemathesis, Site};
use serde_json::{Value, json};

/// Slug in the examples of the document, which refer to existing resources.
const EXAMPLE: &str = "on-call";

#[tokio::test]
async fn api_matches_its_description() {
    let config = Config::new().gateway("name = \"on-call\"\ntype = \"console\"");
    let site = Site::new(&config);
    let key = site.key("tester", &["--admin"]).await;
    let server = site.serve().await;
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    let client = server.client();
    for (nouns, entry) in examples() {
        let path = format!("/api/v1/{nouns}");
        let made = client.send("POST", &path, &headers, entry.to_string());
        made.await.expect(201);
    }
    Schemathesis::against(&server.url("/api/v1/openapi.json"))
        .configured(include_str!("schemathesis.toml"))
        .bearer(&key)
        .run()
        .await
        .assert_passed();
}

fn examples() -> [(&'static str, Value); 5] {
    let endpoint = json!({ "channel": "console", "address": "here" });
    [
        (
            "contacts",
            json!({ "slug": EXAMPLE, "name": "On call", "endpoints": [endpoint] }),
        ),
        (
            "groups",
            json!({ "slug": EXAMPLE, "name": "On call", "contacts": [EXAMPLE] }),
        ),
        ("keys", json!({ "slug": EXAMPLE })),
        (
            "users",
            json!({ "slug": EXAMPLE, "name": "On call", "role": "viewer" }),
        ),
        (
            "events",
            json!({ "slug": EXAMPLE, "name": "On call", "message": "{{host}}", "contacts": [EXAMPLE] }),
        ),
    ]
}
