//! Middleware and per-client limits of all requests.

pub(crate) mod client_ip;
pub(crate) mod key_usage;
pub(crate) mod rate_limit;
pub(crate) mod request_log;
