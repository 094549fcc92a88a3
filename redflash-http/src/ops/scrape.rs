//! `GET /metrics`: the metrics, for keys that may inspect.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::api::problem::Problem;
use crate::app::App;
use crate::auth::api_key;

pub(crate) async fn scrape(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = api_key::check(&app.engine, api_key::bearer(&headers)).await?;
    if !(key.inspect || key.admin) {
        let detail = format!(
            "the key {} does not have the right inspect, which metrics need",
            key.slug
        );
        return Err(Problem::forbidden(detail));
    }
    let Some(metrics) = &app.config.metrics else {
        let detail = "metrics are not collected";
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", detail));
    };
    Ok(metrics.response(&app.engine).await)
}
