//! Rows, and how they become domain values.

pub(crate) mod attempt;
pub(crate) mod delivery;
pub(crate) mod directory;
pub(crate) mod notification;
pub(crate) mod receipt;

use std::str::FromStr;

use crate::error::Fault;

/// Parses what a column holds; what does not parse is named by table, column and row.
pub(crate) fn parse<T: FromStr>(
    text: &str,
    table: &'static str,
    column: &'static str,
    id: &str,
) -> Result<T, Fault> {
    text.parse()
        .map_err(|_| Fault::inconsistent(table, column, id))
}

/// [`parse`] of a column that may be null.
pub(crate) fn parse_some<T: FromStr>(
    text: Option<&str>,
    table: &'static str,
    column: &'static str,
    id: &str,
) -> Result<Option<T>, Fault> {
    text.map(|text| parse(text, table, column, id)).transpose()
}
