//! Endpoints for operators: health, readiness and metrics.

use axum::http::Method;

use crate::route::{Auth, Route};

pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod readiness;
pub(crate) mod scrape;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/healthz", Auth::Public, health::alive),
        Route::new(Method::GET, "/readyz", Auth::Public, health::ready),
        Route::new(Method::GET, "/metrics", Auth::Handler, scrape::scrape),
    ]
}
