//! Rows of users.

use diesel::prelude::*;
use redflash_core::clock::Timestamp;
use redflash_core::model::{PasswordHash, User};

use super::{parse, storable};
use crate::error::QueryError;
use crate::schema::users;

/// Without `Debug`, since it contains the hash of a password.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct UserRow {
    slug: String,
    name: String,
    pub(crate) role: String,
    pub(crate) enabled: bool,
    subject: Option<String>,
    pub(crate) password: Option<String>,
    created_at: i64,
    issuer: Option<String>,
}

impl UserRow {
    pub(crate) fn new(user: &User) -> Self {
        let password = user.password.as_ref().map(PasswordHash::expose);
        Self {
            slug: user.slug.to_string(),
            name: user.name.to_string(),
            role: user.role.to_string(),
            enabled: user.enabled,
            subject: user.subject.as_deref().map(storable),
            password: password.map(storable),
            created_at: user.created_at.as_millis(),
            issuer: user.issuer.as_deref().map(storable),
        }
    }

    pub(crate) fn into_user(self) -> Result<User, QueryError> {
        Ok(User {
            slug: parse(&self.slug, "users", "slug", &self.slug)?,
            name: parse(&self.name, "users", "name", &self.slug)?,
            role: parse(&self.role, "users", "role", &self.slug)?,
            enabled: self.enabled,
            subject: self.subject,
            issuer: self.issuer,
            password: self.password.map(PasswordHash::new),
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}
