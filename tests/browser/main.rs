//! Tests of the test tools (browser, Schemathesis, identity provider) on pages and APIs with known faults.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod identity;
mod openapi;
mod page;

use axum::Router;
use tokio::net::TcpListener;

/// Serves a router on loopback, and returns its URL without a trailing slash.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    url
}
