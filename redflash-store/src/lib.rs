//! The stores of RedFlash, on Diesel.
//!
//! | store | feature | for |
//! | --- | --- | --- |
//! | `SqliteStore` | `sqlite` (default) | one machine: one file, nothing to install |
//! | `PostgresStore` | `postgres` | several nodes that share one database server |
//!
//! Rows become domain values in `row`, queries stand in `query` and are compiled for each back end,
//! and what is particular to a back end stands in its own module.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod copy;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod error;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod heads;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod row;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use copy::Counts;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
pub use copy::copy;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{Access, OpenError, SqliteStore};
