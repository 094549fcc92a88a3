//! Errors inside a store, before their conversion for the core.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use redflash_core::store::StoreError;

/// The error of a query.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// The request cannot be carried out, although the store works.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The directory has changed, so the transaction is rolled back.
    #[error("the directory has changed")]
    #[cfg(feature = "postgres")]
    Outdated,
    /// The driver failed.
    #[error(transparent)]
    Diesel(#[from] DieselError),
}

impl QueryError {
    /// Returns the error of a column whose content cannot be parsed.
    pub(crate) fn inconsistent(table: &'static str, column: &'static str, id: &str) -> Self {
        let id = id.to_owned();
        StoreError::Inconsistent { table, column, id }.into()
    }

    /// Returns true if a single row cannot be read: others may still be valid.
    pub(crate) const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Store(StoreError::Inconsistent { .. }))
    }

    /// Returns true if the connection is no longer reliable: the disk is full, or failed.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_fatal(&self) -> bool {
        match self {
            Self::Store(_) | Self::Diesel(DieselError::NotFound) => false,
            Self::Diesel(DieselError::DatabaseError(kind, _)) => {
                matches!(
                    kind,
                    DatabaseErrorKind::Unknown | DatabaseErrorKind::ClosedConnection
                )
            }
            Self::Diesel(_) => true,
            #[cfg(feature = "postgres")]
            Self::Outdated => false,
        }
    }
}

/// Returns the error of a failed write. Unless the database refused it, it may have been applied.
#[cfg(feature = "postgres")]
pub(crate) fn write_failed(error: QueryError) -> StoreError {
    match error {
        QueryError::Diesel(error) if is_connection_lost(&error) => {
            StoreError::Unknown(error.into())
        }
        error => error.into(),
    }
}

/// Returns true if the connection was lost, so that there is no answer.
#[cfg(feature = "postgres")]
fn is_connection_lost(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _
        ) | DieselError::BrokenTransactionManager
    ) || error.to_string().contains("connection closed")
}

impl From<QueryError> for StoreError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Store(error) => error,
            #[cfg(feature = "postgres")]
            QueryError::Outdated => Self::Unavailable(error.into()),
            #[cfg(feature = "postgres")]
            QueryError::Diesel(error) if is_connection_lost(&error) => {
                Self::Unavailable(error.into())
            }
            QueryError::Diesel(error) if nothing_was_written(&error) => {
                Self::Unavailable(error.into())
            }
            QueryError::Diesel(error) => Self::Backend(error.into()),
        }
    }
}

/// Returns true if a failed commit certainly had no effect: there was no room, or no lock.
pub(crate) fn nothing_was_written(error: &DieselError) -> bool {
    let text = error.to_string();
    [
        "full",
        "locked",
        "readonly",
        "unable to open",
        "No space left",
        "read-only",
        "terminating connection",
        "the database system is",
        "statement timeout",
        "lock timeout",
        "too many connections",
    ]
    .iter()
    .any(|cause| text.contains(cause))
}
