//! `GET /api/v1/openapi.json`: the description of the API, made of the table of routes and of the
//! schemas in `schema/`.

pub(crate) mod operation;

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::api::openapi::operation::{Answer, Operation};
use crate::app::App;
use crate::route::{Auth, Permission, Route};

/// The schemas and parameters, one file a noun.
const COMPONENTS: &[&str] = &[
    include_str!("schema/common.json"),
    include_str!("schema/contact.json"),
    include_str!("schema/group.json"),
    include_str!("schema/event.json"),
    include_str!("schema/plan.json"),
    include_str!("schema/alert.json"),
    include_str!("schema/status.json"),
    include_str!("schema/notification.json"),
    include_str!("schema/inbound.json"),
    include_str!("schema/gateway.json"),
    include_str!("schema/key.json"),
    include_str!("schema/user.json"),
    include_str!("schema/change.json"),
];

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| document(crate::api::routes()));

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/api/v1/openapi.json", Auth::Public, show).described(
            Operation::new("describe", "Description", "Describes this API").gives("Description"),
        ),
    ]
}

async fn show(State(app): State<Arc<App>>) -> Response {
    let json = [(CONTENT_TYPE, "application/json")];
    if app.base.as_str().is_empty() {
        return (json, DESCRIPTION.to_string()).into_response();
    }
    let mut description = DESCRIPTION.clone();
    description["servers"] = json!([{ "url": app.base.as_str() }]);
    (json, description.to_string()).into_response()
}

fn document(routes: Vec<Route>) -> Value {
    let components = components();
    let mut paths = Map::new();
    for route in routes {
        let (Some(method), Some(operation)) = (&route.method, &route.operation) else {
            continue;
        };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let described = describe(operation, &route, &components["parameters"]);
        path[method.as_str().to_lowercase()] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "RedFlash",
            "version": env!("CARGO_PKG_VERSION"),
            "description": include_str!("description.md"),
        },
        "security": [{ "key": [] }],
        "paths": paths,
        "components": components,
    })
}

/// The components of every file, and what they all need.
fn components() -> Value {
    let mut all = json!({
        "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
    });
    for file in COMPONENTS {
        let file: Map<String, Value> =
            serde_json::from_str(file).expect("the tests read every file");
        for (kind, entries) in file {
            let Value::Object(entries) = entries else {
                continue;
            };
            for (name, entry) in entries {
                all[&kind][name] = entry;
            }
        }
    }
    all
}

/// * `known` - the parameters of every file.
fn describe(operation: &Operation, route: &Route, known: &Value) -> Value {
    let mut responses = Map::new();
    for answer in &operation.answers {
        responses.insert(answer.status.as_str().to_owned(), done(answer));
    }
    for status in refusals(operation, route) {
        responses.insert(status.to_string(), refused(status));
    }
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": right(route.auth),
        "parameters": parameters(operation, route.path, known),
        "responses": responses,
    });
    if let Some(schema) = &operation.body {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema_of(schema) } },
        });
    }
    if route.auth == Auth::Public {
        described["security"] = json!([]);
    }
    described
}

/// What it takes to be let in, for people.
const fn right(auth: Auth) -> &'static str {
    match auth {
        Auth::ApiKey(Permission::Any) => "Any key may ask.",
        Auth::ApiKey(Permission::View) => "For keys that may inspect.",
        Auth::ApiKey(Permission::Admin) => "For keys with the right admin.",
        _ => "Anybody may ask.",
    }
}

/// The parameters of an operation: one that it has in its own way stands there as `listChanges.cursor`.
fn parameters(operation: &Operation, path: &str, known: &Value) -> Value {
    let parts = path.split('/');
    let parts = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let named = parts
        .chain(operation.query().iter().copied())
        .chain(operation.headers.iter().copied());
    let place = |name: &str| {
        let own = format!("{}.{name}", operation.id);
        let name = if known.get(&own).is_some() {
            &own
        } else {
            name
        };
        json!({ "$ref": format!("#/components/parameters/{name}") })
    };
    named.map(place).collect()
}

fn done(answer: &Answer) -> Value {
    let mut response = json!({ "description": reason(answer.status) });
    if let Some(schema) = &answer.schema {
        response["content"] = json!({ "application/json": { "schema": schema_of(schema) } });
    }
    for name in answer.headers {
        response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
    }
    response
}

/// The statuses with which an operation refuses: its own, and those that follow from its kind.
fn refusals(operation: &Operation, route: &Route) -> Vec<u16> {
    let mut statuses = operation.refusals.to_vec();
    match route.auth {
        Auth::ApiKey(needs) => {
            statuses.extend([401, 422, 503]);
            if needs != Permission::Any {
                statuses.push(403);
            }
        }
        _ => return statuses,
    }
    if route.path.contains('{') {
        statuses.push(404);
    }
    if operation.body.is_some() {
        statuses.extend([400, 408, 413, 415]);
    }
    for header in operation.headers {
        match *header {
            "If-Match" => statuses.extend([400, 412]),
            "If-Match-Needed" => statuses.extend([400, 412, 428]),
            "Idempotency-Key" => statuses.push(400),
            _ => {}
        }
    }
    statuses
}

fn refused(status: u16) -> Value {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let mut response = json!({
        "description": reason(status),
        "content": { "application/problem+json": { "schema": schema_of("Problem") } },
    });
    let header = match status {
        StatusCode::UNAUTHORIZED => "WWW-Authenticate",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "Retry-After",
        _ => return response,
    };
    response["headers"][header] = json!({ "$ref": format!("#/components/headers/{header}") });
    response
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Answer")
}

fn schema_of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_component_has_the_name_of_another() {
        let mut seen = std::collections::BTreeSet::new();
        for file in COMPONENTS {
            let file: Map<String, Value> = serde_json::from_str(file).unwrap();
            for (kind, entries) in file {
                for name in entries.as_object().unwrap().keys() {
                    assert!(seen.insert(format!("{kind}/{name}")), "{kind}/{name}");
                }
            }
        }
    }
}
