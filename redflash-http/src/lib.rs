//! The HTTP server of RedFlash: raising alerts, callbacks, health and metrics.
//!
//! | request | file |
//! | --- | --- |
//! | `POST /contact/{slug}`, `/group/{slug}`, `/event/{slug}` | `legacy/raise` |
//! | `GET /contact/{slug}`, `/group/{slug}` | `legacy/inspect` |
//! | `/api/v1/…` | `api` |
//! | `/admin/…` | `admin` |
//! | `/ack…`, `/inbound…` | `callback` |
//! | `GET /healthz`, `/readyz` | `ops/health` |
//! | `GET /metrics` | `ops/scrape` |
//!
//! The `legacy` URLs keep the contract of an older service: their errors are 403, 404 or 500 and
//! nothing else, since its clients take any other status for success.

mod admin;
mod alert;
mod api;
pub(crate) mod app;
pub(crate) mod auth;
mod base_path;
mod callback;
mod config;
pub(crate) mod error;
pub(crate) mod extract;
mod last_day;
pub(crate) mod legacy;
pub(crate) mod middleware;
mod off_thread;
#[cfg(feature = "oidc")]
mod oidc;
pub(crate) mod ops;
mod route;
mod router;
mod search_text;
mod server;
mod settings;

pub use auth::password::{PasswordError, hash_password};
pub use base_path::{BasePath, BasePathError};
pub use config::{AdminConfig, HttpConfig, Mode};
#[cfg(feature = "oidc")]
pub use oidc::{OidcConfig, UserClaim};
pub use ops::metrics::{Metrics, MetricsError};
pub use route::{Auth, Permission, Route};
pub use router::{router, routes};
pub use server::{serve, serve_metrics};
pub use settings::{HttpSettings, LiveSettings};
