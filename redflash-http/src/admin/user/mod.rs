//! Users, their roles and passwords.

mod list;
pub(crate) mod new_password;
pub(crate) mod page;
