//! Parts of a running server: reload, cleanup, and the OpenID provider.

mod cleanup;
mod oidc;
mod reload;

pub(crate) use cleanup::{Cleanup, prune_audit, prune_log};
pub(crate) use oidc::provider;
pub(crate) use reload::{LogFilter, Reload, hangups, http_settings};
