//! Events: their templates, and the contacts and groups that they notify.

pub(crate) mod arguments;
mod form;
mod list;
pub(crate) mod page;
mod preview;
mod samples;
