//! The stores of RedFlash, on Diesel.
//!
//! | store | feature | for |
//! | --- | --- | --- |
//! | `SqliteStore` | `sqlite` (default) | one machine: one file, nothing to install |
//! | `PostgresStore` | `postgres` | several nodes that share one database server |
//!
//! `SqliteStore` needs a Unix system, such as Linux or macOS.
//!
//! # Beside other libraries in one program
//!
//! A program can link SQLite only once, so Cargo must find one `libsqlite3-sys` for everything in it. This
//! crate takes 0.22 to 0.38 and uses the newest that the others allow:
//!
//! | library | releases that go together with this crate | `libsqlite3-sys` |
//! | --- | --- | --- |
//! | `rusqlite` | 0.25 to 0.40 | 0.22 to 0.38 |
//! | `sqlx` with `sqlite` | 0.6, 0.7, 0.8, 0.9 | 0.24, 0.27, 0.30, 0.37 |
//! | `sea-orm` with `sqlx-sqlite` | 0.12, 1, 2 | 0.27, 0.30, 0.37 |
//!
//! `rusqlite` 0.41 needs a newer one than Diesel takes. Cargo names the conflict: "package `libsqlite3-sys`
//! links to the native library `sqlite3`". Prefer newer releases, which have fewer bugs of SQLite.
//!
//! A program that opens the store's file through such a library too must close it there before it drops its
//! last store for the file.
//!
//! # Inside
//!
//! `row` converts rows to domain values, `query` has the queries, which are compiled for each back end,
//! and each back end has a module of its own.

#[cfg(all(feature = "sqlite", not(unix)))]
compile_error!(
    "the feature `sqlite` of redflash-store needs a Unix system, such as Linux or macOS: build it there, or without default features"
);

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
#[cfg(all(feature = "sqlite", unix))]
mod sqlite;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use copy::Counts;
#[cfg(all(feature = "postgres", feature = "sqlite", unix))]
pub use copy::copy;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresConfig, PostgresStore};
#[cfg(all(feature = "sqlite", unix))]
pub use sqlite::{Access, OpenError, SqliteStore};
