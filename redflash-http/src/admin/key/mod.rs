//! API keys and their permissions.

mod list;
mod page;
pub(crate) mod permissions;
