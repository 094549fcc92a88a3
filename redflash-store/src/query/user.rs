//! Users of the web admin.

use diesel::prelude::{OptionalExtension, QueryDsl, SelectableHelper};
use redflash_core::model::{Slug, User};
use redflash_core::store::Save;

use super::existence::is_new;
use super::{Conn, RunQueryDsl, session};
use crate::error::QueryError;
use crate::row::user::UserRow;
use crate::schema::users;

async fn row(conn: &mut Conn, slug: &Slug) -> Result<Option<UserRow>, QueryError> {
    let row = users::table
        .find(slug.as_str())
        .select(UserRow::as_select())
        .get_result(conn)
        .await
        .optional()?;
    Ok(row)
}

pub(crate) async fn user(conn: &mut Conn, slug: &Slug) -> Result<Option<User>, QueryError> {
    let row = row(conn, slug).await?;
    row.map(UserRow::into_user).transpose()
}

pub(crate) async fn users(conn: &mut Conn) -> Result<Vec<User>, QueryError> {
    let rows: Vec<UserRow> = users::table
        .order(users::slug)
        .select(UserRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(UserRow::into_user).collect()
}

/// Saves a user, whose sessions end unless they could have been begun just so.
pub(crate) async fn save(conn: &mut Conn, user: &User, save: Save) -> Result<(), QueryError> {
    let slug = user.slug.as_str();
    let before = row(conn, &user.slug).await?;
    let row = UserRow::new(user);
    if is_new(before.is_some(), save, &format!("user/{slug}"))? {
        diesel::insert_into(users::table)
            .values(&row)
            .execute(conn)
            .await?;
    } else {
        diesel::update(users::table.find(slug))
            .set(&row)
            .execute(conn)
            .await?;
    }
    let is_as_before = |before: UserRow| before.password == row.password && before.role == row.role;
    if !row.enabled || !before.is_some_and(is_as_before) {
        session::end_all(conn, &user.slug, None).await?;
    }
    Ok(())
}

/// Removes a user, and with that every session. Returns how many that were.
pub(crate) async fn remove(conn: &mut Conn, slug: &Slug) -> Result<usize, QueryError> {
    let found = diesel::delete(users::table.find(slug.as_str()));
    Ok(found.execute(conn).await?)
}
