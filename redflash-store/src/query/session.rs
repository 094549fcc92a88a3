//! Login sessions.

use diesel::prelude::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper,
};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use redflash_core::clock::Timestamp;
use redflash_core::model::{KeyHash, Session, Slug};
use redflash_core::store::StoreError;

use super::{Conn, RunQueryDsl};
use crate::error::QueryError;
use crate::row::session::SessionRow;
use crate::schema::sessions;

pub(crate) async fn start(conn: &mut Conn, session: &Session) -> Result<(), QueryError> {
    let started = diesel::insert_into(sessions::table)
        .values(&SessionRow::new(session))
        .execute(conn)
        .await;
    match started {
        Err(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
            let (what, reference) = ("a session".into(), format!("user/{}", session.user));
            Err(StoreError::Dangling { what, reference }.into())
        }
        started => Ok(started.map(|_| ())?),
    }
}

pub(crate) async fn session(
    conn: &mut Conn,
    hash: &KeyHash,
) -> Result<Option<Session>, QueryError> {
    let row = sessions::table
        .find(hash.to_string())
        .select(SessionRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    row.map(SessionRow::into_session).transpose()
}

pub(crate) async fn touch(
    conn: &mut Conn,
    hash: &KeyHash,
    at: Timestamp,
) -> Result<(), QueryError> {
    let at = at.as_millis();
    let earlier = sessions::table
        .find(hash.to_string())
        .filter(sessions::seen_at.lt(at));
    diesel::update(earlier)
        .set(sessions::seen_at.eq(at))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn end(conn: &mut Conn, hash: &KeyHash) -> Result<bool, QueryError> {
    let ended = diesel::delete(sessions::table.find(hash.to_string()))
        .execute(conn)
        .await?;
    Ok(ended > 0)
}

/// Ends every session of a user but one. Returns how many.
pub(crate) async fn end_all(
    conn: &mut Conn,
    user: &Slug,
    except: Option<&KeyHash>,
) -> Result<u64, QueryError> {
    // No hash is empty.
    let except = except.map_or_else(String::new, ToString::to_string);
    let theirs = sessions::table
        .filter(sessions::user_slug.eq(user.as_str()))
        .filter(sessions::hash.ne(except));
    let ended = diesel::delete(theirs).execute(conn).await?;
    Ok(ended as u64)
}

/// Removes the sessions that were started before a time, or last used before another. Looks at each,
/// since they are as many as the browsers of a few people.
pub(crate) async fn prune(
    conn: &mut Conn,
    started_before: Timestamp,
    seen_before: Timestamp,
) -> Result<u64, QueryError> {
    let is_old = sessions::started_at.lt(started_before.as_millis());
    let is_idle = sessions::seen_at.lt(seen_before.as_millis());
    let ended = diesel::delete(sessions::table.filter(is_old.or(is_idle)))
        .execute(conn)
        .await?;
    Ok(ended as u64)
}
