//! The stores of RedFlash, on Diesel.
//!
//! | store | feature | for |
//! | --- | --- | --- |
//! | [`SqliteStore`] | `sqlite` (default) | one machine: one file, nothing to install |
//!
//! Rows become domain values in `row`, queries stand in `query`, and what is particular to a back
//! end in its own module, so that a further back end adds a module and a migration tree.

mod error;
mod row;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub use sqlite::{Access, OpenError, SqliteStore};
