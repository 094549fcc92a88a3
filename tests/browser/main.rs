//! The peers that the web admin and the API are tried with, on pages and APIs with faults that they
//! have to find.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod identity;
mod openapi;
mod page;

use axum::Router;
use tokio::net::TcpListener;

/// Serves this on loopback, and returns its URL without a slash at the end.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    url
}
