//! What can go wrong with a store, by what the caller does next.

use crate::{BoxError, ClockError};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What was to be made exists already.
    #[error("{what} exists already")]
    Conflict {
        /// What, as `contact/ann`.
        what: String,
    },
    /// What was to be changed does not exist.
    #[error("there is no {what}")]
    Missing {
        /// What, as `contact/ann`.
        what: String,
    },
    /// What was to be saved names something that does not exist.
    #[error("{what} names {reference}, which does not exist")]
    Dangling {
        /// What was to be saved, as `group/on-call`.
        what: String,
        /// What it names, as `contact/ann`.
        reference: String,
    },
    /// The directory has changed since the version that the edit was made for. Nothing was changed.
    #[error("the directory has changed meanwhile")]
    Outdated,
    /// The store cannot work now and may later: it is full, locked or gone. Nothing was changed.
    #[error("the store cannot be used now")]
    Unavailable(#[source] BoxError),
    /// The commit failed: what was asked may have been done, or may not.
    #[error("the commit failed, so nobody knows whether it holds")]
    Unknown(#[source] BoxError),
    /// The clock shows a time that cannot be stored. Nothing was changed.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// Something in the store makes no sense.
    #[error("the store holds nonsense in {table}.{column} of {id}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
    },
    /// Somebody else dispatches from the store, and only one may.
    #[error("{by} dispatches from this store already")]
    Served {
        /// The one that does, as `process 4711` or `another engine of this process`.
        by: String,
    },
    /// The driver failed in another way.
    #[error("the store failed")]
    Backend(#[source] BoxError),
}
