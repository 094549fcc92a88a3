//! Rows of sessions.

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::model::Session;

use super::parse;
use crate::error::QueryError;
use crate::schema::sessions;

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub(crate) struct SessionRow {
    hash: String,
    user_slug: String,
    started_at: i64,
    seen_at: i64,
}

impl SessionRow {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            hash: session.hash.to_string(),
            user_slug: session.user.to_string(),
            started_at: session.started_at.as_millis(),
            seen_at: session.seen_at.as_millis(),
        }
    }

    pub(crate) fn into_session(self) -> Result<Session, QueryError> {
        Ok(Session {
            hash: parse(&self.hash, "sessions", "hash", &self.hash)?,
            user: parse(&self.user_slug, "sessions", "user_slug", &self.hash)?,
            started_at: Timestamp::from_millis(self.started_at),
            seen_at: Timestamp::from_millis(self.seen_at),
        })
    }
}
