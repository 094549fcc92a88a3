//! Users.

use async_trait::async_trait;
use redflash_core::model::{Name, Role, Slug, User, UserView};
use redflash_core::store::{Store, StoreError};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;

use super::{Backend, Location, Resource};
use crate::error::CliError;
use crate::operator::operator;
use crate::password;

/// A change to a user.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserEdit {
    Name(Name),
    Role(Role),
    Enabled(bool),
}

#[async_trait]
impl Resource for UserView {
    const KIND: &'static str = "user";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        let users = store.users().await?;
        Ok(users.iter().map(Self::from).collect())
    }

    async fn one(store: &dyn Store, slug: &Slug) -> Result<Option<Self>, StoreError> {
        Ok(store.user(slug).await?.as_ref().map(Self::from))
    }
}

impl Backend {
    /// Creates a user.
    pub(crate) async fn add_user(
        &self,
        slug: Slug,
        name: Name,
        role: Role,
        password: Option<SecretString>,
    ) -> Result<UserView, CliError> {
        match &self.location {
            Location::Local(local) => {
                let engine = local.engine().await?;
                let mut user = User::new(slug, name, role, engine.now());
                if let Some(password) = &password {
                    user.password = Some(password::hash(password).await?);
                }
                engine.create(&user, &operator()).await?;
                Ok(UserView::from(&user))
            }
            Location::Remote(api) => {
                let mut body = json!({ "slug": slug, "name": name, "role": role });
                if let Some(password) = &password {
                    body["password"] = json!(password.expose_secret());
                }
                let request = api.request(Method::POST, &["users"]);
                api.read(request.json(&body)).await
            }
        }
    }

    /// Changes a user. Sessions with more permissions end.
    pub(crate) async fn edit_user(&self, slug: &Slug, edit: UserEdit) -> Result<(), CliError> {
        match &self.location {
            Location::Local(local) => {
                let apply = |user: &mut User| match &edit {
                    UserEdit::Name(name) => user.name.clone_from(name),
                    UserEdit::Role(role) => user.role = *role,
                    UserEdit::Enabled(enabled) => user.enabled = *enabled,
                };
                local.change(slug, apply).await.map(drop)
            }
            Location::Remote(api) => api.edit("user", slug, &json!(edit)).await,
        }
    }

    /// Changes the password of a user and ends the user's sessions.
    pub(crate) async fn set_password(
        &self,
        slug: &Slug,
        password: &SecretString,
    ) -> Result<(), CliError> {
        match &self.location {
            Location::Local(local) => {
                let hash = password::hash(password).await?;
                let apply = |user: &mut User| user.password = Some(hash.clone());
                local.change(slug, apply).await.map(drop)
            }
            Location::Remote(api) => {
                let request = api.request(Method::PUT, &["users", slug.as_str(), "password"]);
                let body = json!({ "password": password.expose_secret() });
                api.send(request.json(&body)).await.map(drop)
            }
        }
    }

    /// Returns the URL of the web admin.
    pub(crate) fn admin_url(&self) -> String {
        match &self.location {
            Location::Local(local) => {
                let server = &local.context.loaded.config.server;
                server.admin_url(&server.listen)
            }
            Location::Remote(api) => api.admin_url(),
        }
    }
}
