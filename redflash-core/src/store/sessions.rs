//! Who has logged in.

use async_trait::async_trait;

use super::StoreError;
use crate::{KeyHash, Session, Slug, Timestamp};

/// Who has logged in.
///
/// A store ends every session of a user that is saved with another password or role, saved as
/// switched off, or removed.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Keeps a session.
    ///
    /// # Errors
    ///
    /// [`StoreError::Dangling`] when there is no such user.
    async fn start_session(&self, session: &Session) -> Result<(), StoreError>;

    /// The session whose secret has this hash.
    async fn session(&self, hash: &KeyHash) -> Result<Option<Session>, StoreError>;

    /// Notes that a session was used.
    async fn touch_session(&self, hash: &KeyHash, at: Timestamp) -> Result<(), StoreError>;

    /// Ends a session; `false` when there was none.
    async fn end_session(&self, hash: &KeyHash) -> Result<bool, StoreError>;

    /// Ends every session of a user but this. Returns how many.
    async fn end_sessions(&self, user: &Slug, except: Option<&KeyHash>) -> Result<u64, StoreError>;

    /// Removes the sessions that were started before a time, or last used before another. Returns how
    /// many.
    async fn prune_sessions(
        &self,
        started_before: Timestamp,
        seen_before: Timestamp,
    ) -> Result<u64, StoreError>;
}
