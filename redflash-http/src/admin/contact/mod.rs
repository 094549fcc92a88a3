//! Contacts and their endpoints.

pub(crate) mod endpoint;
mod endpoint_form;
pub(crate) mod endpoint_test;
mod list;
mod page;
