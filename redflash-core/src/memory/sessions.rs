//! Sessions in memory.

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::clock::Timestamp;
use crate::model::{KeyHash, Session, Slug};
use crate::store::{Sessions, StoreError};

#[async_trait]
impl Sessions for MemoryStore {
    async fn start_session(&self, session: &Session) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.users.contains_key(&session.user) {
            return Err(StoreError::Dangling {
                what: "a session".into(),
                reference: format!("user/{}", session.user),
            });
        }
        state.sessions.insert(session.hash, session.clone());
        Ok(())
    }

    async fn session(&self, hash: &KeyHash) -> Result<Option<Session>, StoreError> {
        Ok(self.state().sessions.get(hash).cloned())
    }

    async fn touch_session(&self, hash: &KeyHash, at: Timestamp) -> Result<(), StoreError> {
        if let Some(session) = self.state().sessions.get_mut(hash) {
            session.seen_at = session.seen_at.max(at);
        }
        Ok(())
    }

    async fn end_session(&self, hash: &KeyHash) -> Result<bool, StoreError> {
        Ok(self.state().sessions.remove(hash).is_some())
    }

    async fn end_sessions(&self, user: &Slug, except: Option<&KeyHash>) -> Result<u64, StoreError> {
        Ok(self.state().end_sessions(user, except))
    }

    async fn prune_sessions(
        &self,
        started_before: Timestamp,
        seen_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut state = self.state();
        let before = state.sessions.len();
        state.sessions.retain(|_, session| {
            session.started_at >= started_before && session.seen_at >= seen_before
        });
        Ok((before - state.sessions.len()) as u64)
    }
}

impl State {
    pub(super) fn end_sessions(&mut self, user: &Slug, except: Option<&KeyHash>) -> u64 {
        let before = self.sessions.len();
        let is_kept = |session: &Session| session.user != *user || except == Some(&session.hash);
        self.sessions.retain(|_, session| is_kept(session));
        (before - self.sessions.len()) as u64
    }
}
