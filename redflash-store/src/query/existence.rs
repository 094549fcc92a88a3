//! The existence of a row, compared with the request to save it.

use redflash_core::store::{Save, StoreError};

use crate::error::QueryError;

/// Returns true if the row is to be created, false if it is to be changed, by the existing row and the
/// request.
pub(crate) fn is_new(exists: bool, save: Save, what: &str) -> Result<bool, QueryError> {
    let what = what.to_owned();
    match save {
        Save::Create if exists => Err(StoreError::Conflict { what }.into()),
        Save::Update if !exists => Err(StoreError::Missing { what }.into()),
        _ => Ok(!exists),
    }
}
