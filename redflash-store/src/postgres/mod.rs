#![doc = include_str!("guide.md")]
//!
//! # Inside
//!
//! Each node has a pool of connections and one that listens (`node`). Alerts that come at the same
//! time are recorded by one statement, which is its own transaction (`enqueue`); so are the outcomes
//! of hand-overs (`outbox`).

mod audit;
mod clock;
mod closed;
mod connect;
mod enqueue;
mod inbox;
mod migrate;
mod node;
mod outbox;
#[path = "../query/mod.rs"]
#[allow(clippy::duplicate_mod, reason = "compiled once for each back end")]
mod query;
mod run;
mod sessions;
mod statement;
mod store;
mod version;
mod within;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;
use redflash_core::BoxError;
use redflash_core::clock::Clock;
use redflash_core::store::StoreError;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

pub use connect::PostgresConfig;

use crate::error::{QueryError, write_failed};
use crate::heads::Heads;
use connect::Connector;
use enqueue::Enqueuer;
use node::Node;
use outbox::{due_queues, entry, insert, orphans, plans, unconfirmed, write};
use version::held_version;
use within::within;

/// The connection that queries run on.
type Conn = AsyncPgConnection;

/// A store in a Postgres database, for as many nodes as connect to it.
#[derive(Debug)]
pub struct PostgresStore {
    connections: Connections,
    enqueuer: Enqueuer,
    node: Arc<Node>,
    heads: Heads,
}

/// The error of opening a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is invalid. It is not shown, since it contains a password.
    #[error("the URL of the database: {reason}")]
    Url {
        /// The problem.
        reason: String,
    },
    /// The file of authorities cannot be used.
    #[error("{}: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The problem.
        reason: String,
    },
    /// The server cannot be reached, or refuses us.
    #[error("the database server cannot be used")]
    Server(#[source] BoxError),
    /// The database has no tables of RedFlash, and none were to be created.
    #[error("no tables of RedFlash in the database {database}")]
    Missing {
        /// Its location, without credentials.
        database: String,
    },
    /// The tables were made by a newer version.
    #[error(
        "the database was made by a newer version of RedFlash (its tables are of {found}): use that version"
    )]
    Newer {
        /// The newest migration it has.
        found: String,
    },
    /// The tables are older than this version, and bringing them up to date failed.
    #[error("the tables could not be brought up to date")]
    Migration(#[source] BoxError),
}

impl OpenError {
    fn url(reason: &str) -> Self {
        let reason = reason.to_owned();
        Self::Url { reason }
    }
}

impl PostgresStore {
    /// Opens a database, bringing its tables up to date, also when several nodes do so at once.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenError`] with a message for the operator.
    pub async fn open(config: &PostgresConfig) -> Result<Self, OpenError> {
        Self::open_with(config, true).await
    }

    /// Opens a database that has the tables, and brings them up to date.
    ///
    /// # Errors
    ///
    /// [`OpenError::Missing`] when it has no tables, and the others of [`open`](Self::open).
    pub async fn open_existing(config: &PostgresConfig) -> Result<Self, OpenError> {
        Self::open_with(config, false).await
    }

    async fn open_with(config: &PostgresConfig, creates: bool) -> Result<Self, OpenError> {
        let connector = Connector::new(config)?;
        migrate::migrate(&connector, creates).await?;
        let connections = Connections::new(connector.clone(), config)?;
        Ok(Self {
            enqueuer: Enqueuer::start(&connections),
            node: Node::start(connector),
            heads: Heads::default(),
            connections,
        })
    }

    /// The time of the database, so that nodes whose clocks differ agree on what is due.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.node.clock()
    }
}

/// Connections, made when needed and kept for the next query.
#[derive(Clone)]
struct Connections {
    pool: Pool<AsyncPgConnection>,
    timeout: Duration,
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections")
            .field("pool", &self.pool.status())
            .finish_non_exhaustive()
    }
}

impl Connections {
    fn new(connector: Connector, config: &PostgresConfig) -> Result<Self, OpenError> {
        let mut manager = ManagerConfig::<AsyncPgConnection>::default();
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(move |_| {
            let connector = connector.clone();
            async move { connector.connect().await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config("", manager);
        let pool = Pool::builder(manager).max_size(config.connections.max(2));
        Ok(Self {
            pool: pool
                .build()
                .map_err(|error| OpenError::Server(error.into()))?,
            timeout: config.timeout,
        })
    }

    /// A connection, within the time that everything has.
    async fn get(&self) -> Result<Object<AsyncPgConnection>, StoreError> {
        match timeout(self.timeout, self.pool.get()).await {
            Ok(Ok(conn)) => Ok(conn),
            Ok(Err(error)) => Err(StoreError::Unavailable(error.into())),
            Err(_) => {
                let reason = "no connection came free in time";
                Err(StoreError::Unavailable(reason.into()))
            }
        }
    }
}

type Outcome<T> = Result<Result<T, QueryError>, Elapsed>;

/// Returns the result of a read. A connection whose query timed out is not used again.
fn read<T>(conn: Object<AsyncPgConnection>, outcome: Outcome<T>) -> Result<T, StoreError> {
    if let Ok(result) = outcome {
        return Ok(result?);
    }
    drop(Object::take(conn));
    Err(StoreError::Unavailable("no answer in time".into()))
}

/// Returns the result of a write, which may have been applied if there is no answer.
fn wrote<T>(conn: Object<AsyncPgConnection>, outcome: Outcome<T>) -> Result<T, StoreError> {
    if let Ok(result) = outcome {
        return result.map_err(write_failed);
    }
    drop(Object::take(conn));
    Err(StoreError::Unknown("no answer in time".into()))
}
