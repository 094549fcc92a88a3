//! Errors of stores, by the action that follows.

use crate::BoxError;
use crate::clock::ClockError;

/// Reason why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The entry to create already exists.
    #[error("{what} exists already")]
    Conflict {
        /// The entry, as `contact/ann`.
        what: String,
    },
    /// The entry to change does not exist.
    #[error("there is no {what}")]
    Missing {
        /// The entry, as `contact/ann`.
        what: String,
    },
    /// The entry to save refers to one that does not exist.
    #[error("{what} names {reference}, which does not exist")]
    Dangling {
        /// The entry to save, as `group/on-call`.
        what: String,
        /// The missing one, as `contact/ann`.
        reference: String,
    },
    /// The directory has changed since the version that the edit was made for. Nothing was changed.
    #[error("the directory has changed meanwhile")]
    Outdated,
    /// The store cannot work now and may later: it is full, locked or gone. Nothing was changed.
    #[error("the store cannot be used now")]
    Unavailable(#[source] BoxError),
    /// The commit failed: the change may or may not have been applied.
    #[error("commit outcome unknown: it may or may not have been applied")]
    Unknown(#[source] BoxError),
    /// The clock shows a time that cannot be stored. Nothing was changed.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// A stored value is invalid.
    #[error("invalid value in {table}.{column} of {id}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
    },
    /// Another engine dispatches from the store, and only one may.
    #[error("{by} dispatches from this store already")]
    Served {
        /// The other one, as `process 4711` or `another engine of this process`.
        by: String,
    },
    /// The driver failed in another way.
    #[error("the store failed")]
    Backend(#[source] BoxError),
}
