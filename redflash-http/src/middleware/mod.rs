//! TODO: one line.

pub(crate) mod client_ip;
pub(crate) mod key_usage;
pub(crate) mod rate_limit;
pub(crate) mod request_log;
