//! Login sessions, on SQLite.

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::model::{KeyHash, Session, Slug};
use redflash_core::store::{Sessions, StoreError};

use super::SqliteStore;
use super::query::session;
use super::run::now as run;

#[async_trait]
impl Sessions for SqliteStore {
    async fn start_session(&self, started: &Session) -> Result<(), StoreError> {
        let started = started.clone();
        self.writer
            .write(move |conn| run(session::start(conn, &started)))
            .await
    }

    async fn session(&self, hash: &KeyHash) -> Result<Option<Session>, StoreError> {
        self.readers.read(|conn| run(session::session(conn, hash)))
    }

    async fn touch_session(&self, hash: &KeyHash, at: Timestamp) -> Result<(), StoreError> {
        let hash = *hash;
        self.writer
            .write(move |conn| run(session::touch(conn, &hash, at)))
            .await
    }

    async fn end_session(&self, hash: &KeyHash) -> Result<bool, StoreError> {
        let hash = *hash;
        self.writer
            .write(move |conn| run(session::end(conn, &hash)))
            .await
    }

    async fn end_sessions(&self, user: &Slug, except: Option<&KeyHash>) -> Result<u64, StoreError> {
        let (user, except) = (user.clone(), except.copied());
        self.writer
            .write(move |conn| run(session::end_all(conn, &user, except.as_ref())))
            .await
    }

    async fn prune_sessions(
        &self,
        started_before: Timestamp,
        seen_before: Timestamp,
    ) -> Result<u64, StoreError> {
        self.writer
            .write(move |conn| run(session::prune(conn, started_before, seen_before)))
            .await
    }
}
