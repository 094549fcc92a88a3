//! Sessions of logged-in users.

use async_trait::async_trait;

use super::StoreError;
use crate::clock::Timestamp;
use crate::model::{KeyHash, Session, Slug};

/// Sessions of logged-in users.
///
/// A store ends all sessions of a user that is removed, or saved with another password or role or
/// as switched off.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Records a session.
    ///
    /// # Errors
    ///
    /// [`StoreError::Dangling`] if the user does not exist.
    async fn start_session(&self, session: &Session) -> Result<(), StoreError>;

    /// Returns the session whose secret has this hash.
    async fn session(&self, hash: &KeyHash) -> Result<Option<Session>, StoreError>;

    /// Records the last use of a session.
    async fn touch_session(&self, hash: &KeyHash, at: Timestamp) -> Result<(), StoreError>;

    /// Ends a session; returns false if there was none.
    async fn end_session(&self, hash: &KeyHash) -> Result<bool, StoreError>;

    /// Ends every session of a user except this one. Returns their number.
    async fn end_sessions(&self, user: &Slug, except: Option<&KeyHash>) -> Result<u64, StoreError>;

    /// Removes the sessions that were started before a time, or last used before another. Returns
    /// their number.
    async fn prune_sessions(
        &self,
        started_before: Timestamp,
        seen_before: Timestamp,
    ) -> Result<u64, StoreError>;
}
