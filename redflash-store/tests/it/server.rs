//! The store on a Postgres server.

use std::sync::Arc;

use redflash_core::Store;
use redflash_store::{PostgresConfig, PostgresStore};

async fn open() -> Arc<dyn Store> {
    let name = format!("t{:x}", std::process::id());
    let out = std::process::Command::new("psql")
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            "5499",
            "-U",
            "redflash",
            "postgres",
            "-c",
            &format!("create database {name}"),
        ])
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    let url = format!("postgres://redflash@127.0.0.1:5499/{name}");
    Arc::new(
        PostgresStore::open(&PostgresConfig::new(url))
            .await
            .unwrap(),
    )
}

redflash_core::store_conformance!(open);
