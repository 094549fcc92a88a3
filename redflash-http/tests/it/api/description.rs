//! `/api/v1/openapi.json`.

use std::collections::BTreeSet;

use redflash_http::Route;
use serde_json::Value;

use super::world::World;

async fn description() -> Value {
    let world = World::start().await;
    let answer = world.client.get("/api/v1/openapi.json").await.expect(200);
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.json()
}

/// Returns every operation with its method and path.
fn operations(description: &Value) -> Vec<(String, &Value)> {
    let paths = description["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, one)| (format!("{} {path}", method.to_uppercase()), one))
    });
    all.collect()
}

#[tokio::test]
async fn describes_every_route_and_no_other() {
    let description = description().await;
    let described: BTreeSet<_> = operations(&description)
        .into_iter()
        .map(|(route, _)| route)
        .collect();
    let routes = redflash_http::routes().into_iter();
    let routes = routes.filter(|route| route.path.starts_with("/api/v1/"));
    let line = |route: Route| format!("{} {}", route.method.unwrap(), route.path);
    assert_eq!(described, routes.map(line).collect());
}

#[tokio::test]
async fn gives_operations_unique_ids() {
    let description = description().await;
    let mut names = BTreeSet::new();
    for (route, operation) in operations(&description) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{route} is called {name} as another is");
        assert!(
            !operation["summary"].as_str().unwrap().is_empty(),
            "{route}"
        );
    }
    assert!(names.contains("listContacts"));
}

#[tokio::test]
async fn resolves_every_reference() {
    let description = description().await;
    let mut found = 0;
    references(&description, &mut |reference| {
        found += 1;
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    });
    assert!(found > 20, "{found}");
}

fn references(value: &Value, look: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                look(reference);
            }
            fields.values().for_each(|field| references(field, look));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, look)),
        _ => {}
    }
}

#[tokio::test]
async fn marks_public_operations() {
    let description = description().await;
    for (route, operation) in operations(&description) {
        let is_open = operation
            .get("security")
            .is_some_and(|security| *security == serde_json::json!([]));
        assert_eq!(is_open, route == "GET /api/v1/openapi.json", "{route}");
        assert_eq!(
            is_open,
            operation["responses"].get("401").is_none(),
            "{route}"
        );
    }
}
