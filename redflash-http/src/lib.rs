//! The HTTP server of RedFlash: raising alerts, callbacks, health and metrics.
//!
//! | request | file |
//! | --- | --- |
//! | `POST /contact/{slug}`, `/group/{slug}`, `/event/{slug}` | `raise` |
//! | `GET /contact/{slug}`, `/group/{slug}` | `inspect` |
//! | `/api/v1/…` | `api` |
//! | `/admin/…` | `admin` |
//! | `/ack…`, `/inbound…` | `callback` |
//! | `GET /healthz`, `/readyz` | `health` |
//! | `GET /metrics` | `metrics` |
//!
//! The raising URLs speak the contract of a service that is older than this one: their refusals are
//! 403, 404 or 500 and nothing else, since its clients take any other status for success.

mod admin;
mod alert;
mod answer;
mod api;
mod base_path;
mod body;
mod body_memory;
mod callback;
mod client_address;
mod config;
mod connections;
mod front;
mod health;
mod idempotency;
mod inspect;
mod json;
mod key;
mod key_uses;
mod last_day;
mod limit;
mod linger;
mod metrics;
mod off_thread;
#[cfg(feature = "oidc")]
mod oidc;
mod password;
mod path;
mod problem;
mod raise;
mod refusal;
mod request;
mod route;
mod server;
mod settings;

pub use base_path::{BasePath, BasePathError};
pub use config::{AdminConfig, HttpConfig, Mode};
pub use front::router;
pub use metrics::{Metrics, MetricsError};
#[cfg(feature = "oidc")]
pub use oidc::{OidcConfig, UserClaim};
pub use password::{PasswordError, hash_password};
pub use route::{Door, Needs, Route, routes};
pub use server::{serve, serve_metrics};
pub use settings::{HttpSettings, LiveSettings};
