//! Schemathesis itself, against small APIs that match their description and that do not.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use redflash_tests::Schemathesis;
use serde_json::{Value, json};

use crate::serve;

const TOKEN: &str = "canary-token";

#[tokio::test]
async fn accepts_api_that_matches_its_description() {
    let url = serve(api(StatusCode::NOT_FOUND)).await;
    examine(&url).bearer(TOKEN).run().await.assert_passed();
}

#[tokio::test]
async fn reports_server_errors() {
    let url = serve(api(StatusCode::INTERNAL_SERVER_ERROR)).await;
    let found = examine(&url).bearer(TOKEN).run().await;
    assert!(!found.passed, "{}", found.output);
    assert!(found.output.contains("Server error"), "{}", found.output);
    assert!(found.output.contains("/numbers/"), "{}", found.output);
}

#[tokio::test]
async fn reports_missing_authentication() {
    let url = serve(routes(StatusCode::NOT_FOUND)).await;
    let found = examine(&url).bearer(TOKEN).run().await;
    assert!(!found.passed, "{}", found.output);
    assert!(found.output.contains("authentication"), "{}", found.output);
}

fn examine(url: &str) -> Schemathesis {
    Schemathesis::against(&format!("{url}/openapi.json"))
}

/// Returns the routes, which require the token.
fn api(odd: StatusCode) -> Router {
    routes(odd).layer(from_fn(async |request: Request, next: Next| {
        let described = request.uri().path() == "/openapi.json";
        let token = request.headers().get(AUTHORIZATION);
        let known = token.is_some_and(|token| token == &format!("Bearer {TOKEN}"));
        if described || known {
            next.run(request).await
        } else {
            let challenge = [(WWW_AUTHENTICATE, "Bearer")];
            (challenge, error(StatusCode::UNAUTHORIZED)).into_response()
        }
    }))
}

/// Returns the routes.
///
/// * `odd` - the status for odd numbers.
fn routes(odd: StatusCode) -> Router {
    let number = async move |Path(number): Path<String>| match number.parse::<u32>() {
        Ok(1001..) | Err(_) => error(StatusCode::BAD_REQUEST),
        Ok(number) if number % 2 == 0 => Json(json!({ "half": number / 2 })).into_response(),
        Ok(_) => error(odd),
    };
    Router::new()
        .route("/openapi.json", get(async || Json(description())))
        .route("/numbers/{number}", get(number))
}

fn error(status: StatusCode) -> Response {
    (status, Json(json!({ "message": status.to_string() }))).into_response()
}

fn description() -> Value {
    let answer = |field: &str, kind: &str| {
        json!({
            "description": field,
            "content": { "application/json": { "schema": {
                "type": "object",
                "required": [field],
                "properties": { field: { "type": kind } },
            } } },
        })
    };
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Halves", "version": "1" },
        "security": [{ "token": [] }],
        "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } },
        "paths": { "/numbers/{number}": { "get": {
            "parameters": [{
                "name": "number",
                "in": "path",
                "required": true,
                "schema": { "type": "integer", "minimum": 0, "maximum": 1000 },
            }],
            "responses": {
                "200": answer("half", "integer"),
                "400": answer("message", "string"),
                "401": answer("message", "string"),
                "404": answer("message", "string"),
            },
        } } },
    })
}
