//! Credentials: API keys and passwords.

pub(crate) mod api_key;
pub(crate) mod password;
