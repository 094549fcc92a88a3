//! Building blocks of pages: forms, fields, errors, pagination and templates.

pub(crate) mod assets;
pub(crate) mod choices;
pub(crate) mod field;
pub(crate) mod flash;
pub(crate) mod form;
pub(crate) mod form_error;
pub(crate) mod helpers;
pub(crate) mod page;
pub(crate) mod page_error;
pub(crate) mod pagination;
pub(crate) mod partials;
pub(crate) mod path;
pub(crate) mod redirect;
pub(crate) mod referer;
pub(crate) mod render;
pub(crate) mod templates;
pub(crate) mod wrong_method;
