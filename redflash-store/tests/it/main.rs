//! The SQLite store: the suite, and what is particular to a file.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

mod file;

use std::sync::Arc;

use redflash_core::Store;
use redflash_store::{Access, SqliteStore};

/// An empty store in a directory that stays for as long as the test runs.
async fn open() -> Arc<dyn Store> {
    let directory = tempfile::tempdir().unwrap().keep();
    Arc::new(SqliteStore::open(directory.join("redflash.db"), Access::Server).unwrap())
}

redflash_core::store_conformance!(open);
