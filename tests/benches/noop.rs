//! The upper bound: an axum endpoint that parses the same form, and does nothing.

use std::collections::HashMap;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Form, Json, Router};

pub(crate) fn serve() -> ! {
    let (runtime, listener) = crate::child::listen();
    let app = Router::new().route("/contact/{slug}", post(answer));
    runtime.block_on(async { axum::serve(listener, app).await.unwrap() });
    unreachable!("it serves until it is killed")
}

async fn answer(
    Path(slug): Path<String>,
    Form(fields): Form<HashMap<String, String>>,
) -> (StatusCode, Json<serde_json::Value>) {
    let answer = serde_json::json!({ "slug": slug, "fields": fields.len() });
    (StatusCode::CREATED, Json(answer))
}
