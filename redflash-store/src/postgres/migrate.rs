//! Bringing the tables up to date, one node at a time.

use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::Bool;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use redflash_core::BoxError;

use super::OpenError;
use super::connect::Connector;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// The lock that a node holds meanwhile; it is given up with the session.
const LOCK: &str = "SET statement_timeout = 0; SET lock_timeout = 0; \
                    SELECT pg_advisory_lock(5931471, 1)";

/// SQL condition that is true once the tables have been created.
const HAS_TABLES: &str = "to_regclass('__diesel_schema_migrations') IS NOT NULL";

/// Brings the tables up to date.
///
/// * `creates` - whether tables are created in a database that has none.
pub(super) async fn migrate(connector: &Connector, creates: bool) -> Result<(), OpenError> {
    let server = |error: BoxError| OpenError::Server(error);
    let mut conn = connector
        .connect()
        .await
        .map_err(|error| server(error.into()))?;
    conn.batch_execute(LOCK)
        .await
        .map_err(|error| server(error.into()))?;
    if !creates {
        let has_tables = diesel::select(sql::<Bool>(HAS_TABLES)).get_result::<bool>(&mut conn);
        if !has_tables.await.map_err(|error| server(error.into()))? {
            let database = connector.database().to_owned();
            return Err(OpenError::Missing { database });
        }
    }
    let work = tokio::task::spawn_blocking(move || run(conn));
    work.await
        .map_err(|error| OpenError::Migration(error.into()))?
}

fn run(conn: AsyncPgConnection) -> Result<(), OpenError> {
    let failed = OpenError::Migration;
    let mut conn: AsyncConnectionWrapper<AsyncPgConnection> = conn.into();
    let all: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().map_err(failed)?;
    let known: Vec<_> = all
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = conn.applied_migrations().map_err(failed)?;
    let newer = applied
        .iter()
        .map(ToString::to_string)
        .find(|version| !known.contains(version));
    if let Some(found) = newer {
        return Err(OpenError::Newer { found });
    }
    conn.run_pending_migrations(MIGRATIONS).map_err(failed)?;
    Ok(())
}
