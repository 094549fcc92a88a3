//! The HTTP server of RedFlash: raising alerts, callbacks, health and metrics.
//!
//! | request | file |
//! | --- | --- |
//! | `POST /contact/{slug}`, `/group/{slug}`, `/event/{slug}` | `raise` |
//! | `GET /contact/{slug}`, `/group/{slug}` | `inspect` |
//! | `GET /api/v1/notifications/{id}` | `notification` |
//! | `/ack…`, `/inbound…` | `callback` |
//! | `GET /healthz`, `/readyz` | `health` |
//! | `GET /metrics` | `metrics` |
//!
//! The raising URLs speak the contract of a service that is older than this one: their refusals are
//! 403, 404 or 500 and nothing else, since its clients take any other status for success.

mod body;
mod callback;
mod config;
mod front;
mod health;
mod idempotency;
mod inspect;
mod json;
mod key;
mod limit;
mod metrics;
mod notification;
#[cfg(feature = "oidc")]
#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "the pages that log in call it")
)]
mod oidc;
mod raise;
mod refusal;
mod request;
mod server;

pub use config::{HttpConfig, Mode};
pub use front::router;
pub use metrics::{Metrics, MetricsError};
#[cfg(feature = "oidc")]
pub use oidc::{OidcConfig, UserClaim};
pub use server::{serve, serve_metrics};
