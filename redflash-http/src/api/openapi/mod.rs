//! `GET /api/v1/openapi.json`: the `OpenAPI` document, generated from the table of routes and the DTOs.

pub(crate) mod operation;
mod parameter;
mod schemas;
pub(crate) mod value;

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::api::openapi::operation::{Operation, SchemaOf, Success};
use crate::api::openapi::schemas::Schemas;
use crate::api::problem_document::ProblemDocument;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

/// The `OpenAPI` document.
struct Document;

impl JsonSchema for Document {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OpenApi".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "An OpenAPI document.",
            "required": ["openapi", "info", "paths"],
        })
    }
}

/// Returns the route of the document.
///
/// * `all` - returns every route of the API.
pub(crate) fn routes(all: fn() -> Vec<Route>) -> Vec<Route> {
    let show = async move |State(app): State<Arc<App>>| show(&app, all);
    vec![
        Route::new(Method::GET, "/api/v1/openapi.json", Auth::Public, show).described(
            Operation::new("describe", "Description", "Get this OpenAPI document").ok::<Document>(),
        ),
    ]
}

fn show(app: &App, all: fn() -> Vec<Route>) -> Response {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| document(all()));
    let json = [(CONTENT_TYPE, "application/json")];
    if app.base.as_str().is_empty() {
        return (json, document.to_string()).into_response();
    }
    let mut document = document.clone();
    document["servers"] = json!([{ "url": app.base.as_str() }]);
    (json, document.to_string()).into_response()
}

fn document(routes: Vec<Route>) -> Value {
    let mut schemas = Schemas::new();
    let parameters = parameter::parameters(&mut schemas.input);
    let mut paths = Map::new();
    for route in routes {
        let (Some(method), Some(operation)) = (&route.method, &route.operation) else {
            continue;
        };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let described = describe(operation, &route, &parameters, &mut schemas);
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
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
            "parameters": parameters,
            "headers": parameter::headers(),
            "schemas": schemas.into_definitions(),
        },
    })
}

fn describe(operation: &Operation, route: &Route, known: &Value, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for success in &operation.responses {
        let described = response(success, &mut schemas.output);
        responses.insert(success.status.as_str().to_owned(), described);
    }
    for status in errors(operation, route) {
        responses.insert(status.to_string(), error(status, &mut schemas.output));
    }
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": permission(route.auth),
        "parameters": parameters(operation, route.path, known),
        "responses": responses,
    });
    if let Some(body) = operation.body {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": body(&mut schemas.input) } },
        });
    }
    if route.auth == Auth::Public {
        described["security"] = json!([]);
    }
    described
}

/// Returns the permission that a route requires, as a sentence.
const fn permission(auth: Auth) -> &'static str {
    match auth {
        Auth::ApiKey(Permission::Any) => "Requires any API key.",
        Auth::ApiKey(Permission::View) => "Requires an API key with the `inspect` permission.",
        Auth::ApiKey(Permission::Admin) => "Requires an API key with the `admin` permission.",
        _ => "Requires no authentication.",
    }
}

/// Returns references to the parameters of an operation, to its own variant of each where there is one.
fn parameters(operation: &Operation, path: &str, known: &Value) -> Value {
    let parts = path.split('/');
    let parts = parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let names = parts
        .chain(operation.query().iter().copied())
        .chain(operation.headers.iter().copied());
    let reference = |name: &str| {
        let own = format!("{}.{name}", operation.id);
        let name = if known.get(&own).is_some() {
            &own
        } else {
            name
        };
        json!({ "$ref": format!("#/components/parameters/{name}") })
    };
    names.map(reference).collect()
}

fn response(success: &Success, schemas: &mut SchemaGenerator) -> Value {
    let mut response = json!({ "description": reason(success.status) });
    if let Some(body) = success.body {
        response["content"] = json!({ "application/json": { "schema": body(schemas) } });
    }
    for name in success.headers {
        response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
    }
    response
}

/// Returns the error statuses of an operation: its own, and those that follow from its kind.
fn errors(operation: &Operation, route: &Route) -> Vec<u16> {
    let mut statuses = operation.errors.to_vec();
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
            "If-Match-Required" => statuses.extend([400, 412, 428]),
            "Idempotency-Key" => statuses.push(400),
            _ => {}
        }
    }
    statuses
}

fn error(status: u16, schemas: &mut SchemaGenerator) -> Value {
    const PROBLEM: SchemaOf = SchemaGenerator::subschema_for::<ProblemDocument>;
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let mut response = json!({
        "description": reason(status),
        "content": { "application/problem+json": { "schema": PROBLEM(schemas) } },
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
    status.canonical_reason().unwrap_or("Response")
}
