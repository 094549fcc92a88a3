//! Login sessions, on Postgres.

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::model::{KeyHash, Session, Slug};
use redflash_core::store::{Sessions, StoreError};

use super::PostgresStore;
use super::query::session;
use super::run::{ask, run};

#[async_trait]
impl Sessions for PostgresStore {
    async fn start_session(&self, started: &Session) -> Result<(), StoreError> {
        run!(wrote, self, |conn| session::start(conn, started))
    }

    async fn session(&self, hash: &KeyHash) -> Result<Option<Session>, StoreError> {
        ask!(self, |conn| session::session(conn, hash))
    }

    async fn touch_session(&self, hash: &KeyHash, at: Timestamp) -> Result<(), StoreError> {
        run!(wrote, self, |conn| session::touch(conn, hash, at))
    }

    async fn end_session(&self, hash: &KeyHash) -> Result<bool, StoreError> {
        run!(wrote, self, |conn| session::end(conn, hash))
    }

    async fn end_sessions(&self, user: &Slug, except: Option<&KeyHash>) -> Result<u64, StoreError> {
        run!(wrote, self, |conn| session::end_all(conn, user, except))
    }

    async fn prune_sessions(
        &self,
        started_before: Timestamp,
        seen_before: Timestamp,
    ) -> Result<u64, StoreError> {
        run!(wrote, self, |conn| session::prune(
            conn,
            started_before,
            seen_before
        ))
    }
}
