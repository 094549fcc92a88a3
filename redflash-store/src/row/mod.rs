//! Rows, and how they become domain values.

pub(crate) mod attempt;
pub(crate) mod change;
pub(crate) mod delivery;
pub(crate) mod directory;
pub(crate) mod inbound;
pub(crate) mod notification;
pub(crate) mod receipt;
pub(crate) mod session;
pub(crate) mod user;

use std::str::FromStr;

use redflash_core::model::Slug;

use tracing::error;

use crate::error::QueryError;

/// A key in a column that is never null, so that it can be part of a key: empty for none.
pub(crate) fn owner(key: Option<&Slug>) -> String {
    key.map_or_else(String::new, ToString::to_string)
}

/// A text from outside as every back end can keep it: Postgres refuses the character NUL.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Returns what was made of a row; logs a row that cannot be read and returns `None` for it.
pub(crate) fn readable<T>(made: Result<T, QueryError>) -> Result<Option<T>, QueryError> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(error) if error.is_unreadable() => {
            error!(error = %error, "a row cannot be read and is left out");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Parses what a column holds; what does not parse is named by table, column and row.
pub(crate) fn parse<T: FromStr>(
    text: &str,
    table: &'static str,
    column: &'static str,
    id: &str,
) -> Result<T, QueryError> {
    text.parse()
        .map_err(|_| QueryError::inconsistent(table, column, id))
}

/// [`parse`] of a column that may be null.
pub(crate) fn parse_some<T: FromStr>(
    text: Option<&str>,
    table: &'static str,
    column: &'static str,
    id: &str,
) -> Result<Option<T>, QueryError> {
    text.map(|text| parse(text, table, column, id)).transpose()
}
