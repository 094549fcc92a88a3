//! `/api/v1/users`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::clock::Timestamp;
use redflash_core::model::{Name, PasswordHash, Role, Slug, User};
use redflash_core::store::{Store, StoreError};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::api::caller::Caller;
use crate::api::crud::{Resource, created, find, list, remove, shown};
use crate::api::extract::json_body::{Input, Optional, Secret, enabled};
use crate::api::extract::path::Named;
use crate::api::extract::precondition::Precondition;
use crate::api::openapi::operation::Operation;
use crate::api::openapi::value;
use crate::api::page::{Listed, Page};
use crate::api::problem::Problem;
use crate::app::App;
use crate::auth::password::{PasswordError, hash_password};
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/users";
const ONE: &str = "/api/v1/users/{slug}";
const PASSWORD: &str = "/api/v1/users/{slug}/password";
const TAG: &str = "Users";

pub(super) fn routes() -> Vec<Route> {
    let admin = Auth::ApiKey(Permission::Admin);
    vec![
        Route::new(Method::GET, ALL, admin, list::<User>).described(
            Operation::new("listUsers", TAG, "List users")
                .parameters(&["q", "limit", "cursor"])
                .ok::<Page<UserView>>(),
        ),
        Route::new(Method::POST, ALL, admin, create).described(
            Operation::new("createUser", TAG, "Create a user")
                .body::<NewUser>()
                .created::<UserView>()
                .errors(&[409]),
        ),
        Route::new(Method::GET, ONE, admin, read)
            .described(Operation::new("readUser", TAG, "Get a user").ok_with_etag::<UserView>()),
        Route::new(Method::PATCH, ONE, admin, change).described(
            Operation::new(
                "changeUser",
                TAG,
                "Update a user, and end the sessions of one who loses permissions",
            )
            .headers(&["If-Match"])
            .body::<UserPatch>()
            .ok_with_etag::<UserView>()
            .errors(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove::<User>).described(
            Operation::new("removeUser", TAG, "Delete a user and end their sessions")
                .headers(&["If-Match"])
                .no_content()
                .errors(&[409]),
        ),
        Route::new(Method::PUT, PASSWORD, admin, set_password).described(
            Operation::new(
                "setPassword",
                TAG,
                "Set a user's password and end their sessions",
            )
            .body::<NewPassword>()
            .no_content(),
        ),
    ]
}

impl Resource for User {
    type View = UserView;

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.users().await
    }

    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn texts(&self) -> Vec<&str> {
        vec![self.slug.as_str(), self.name.as_str()]
    }

    fn view(&self, _: Vec<String>) -> UserView {
        self.into()
    }
}

/// A user who may log in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "User", deny_unknown_fields)]
pub(super) struct UserView {
    #[schemars(with = "value::Slug")]
    slug: Slug,
    #[schemars(with = "value::Name")]
    name: Name,
    #[schemars(with = "value::Role")]
    role: Role,
    /// False if the user cannot log in.
    enabled: bool,
    /// Subject at the OpenID provider, once the user has logged in there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    subject: Option<String>,
    #[schemars(with = "value::Time")]
    created_at: Timestamp,
    /// True if the user can log in with a password.
    has_password: bool,
}

/// A user to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    #[schemars(with = "value::Slug")]
    slug: Slug,
    #[schemars(with = "value::Name")]
    name: Name,
    #[schemars(with = "value::Role")]
    role: Role,
    /// False if the user cannot log in.
    #[serde(default = "enabled")]
    enabled: bool,
    #[serde(default)]
    #[schemars(with = "value::Password")]
    password: Optional<Secret>,
}

/// Fields of a user to change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct UserPatch {
    #[schemars(with = "value::Name")]
    name: Optional<Name>,
    #[schemars(with = "value::Role")]
    role: Optional<Role>,
    /// False if the user cannot log in.
    enabled: Optional<bool>,
}

/// A password to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    #[schemars(with = "value::Password")]
    password: Secret,
}

impl Listed for UserView {
    const LIST: &'static str = "users";
    const PAGE: &'static str = "UserPage";
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            slug: user.slug.clone(),
            name: user.name.clone(),
            role: user.role,
            enabled: user.enabled,
            subject: user.subject.clone(),
            created_at: user.created_at,
            has_password: user.password.is_some(),
        }
    }
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Input(new): Input<NewUser>,
) -> Result<Response, Problem> {
    let engine = &app.engine;
    let mut user = User::new(new.slug, new.name, new.role, engine.now());
    user.enabled = new.enabled;
    if let Some(Secret(password)) = &new.password.0 {
        user.password = Some(hash(password).await?);
    }
    engine.create(&user, &caller.actor()).await?;
    Ok(created(&user, Vec::new()))
}

/// Hashes a password.
///
/// # Errors
///
/// 422 for one that is too short or too long, 503 if it cannot be hashed now.
async fn hash(password: &SecretString) -> Result<PasswordHash, Problem> {
    hash_password(password).await.map_err(|error| match error {
        PasswordError::Failed => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string())
        }
        error => Problem::field("password", error.to_string()),
    })
}

async fn read(State(app): State<Arc<App>>, Named(slug): Named) -> Result<Response, Problem> {
    Ok(shown(&find::<User>(&app.engine, &slug).await?, Vec::new()))
}

async fn change(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    precondition: Precondition,
    Input(patch): Input<UserPatch>,
) -> Result<Response, Problem> {
    let apply = |user: &mut User| {
        patch.name.set(&mut user.name);
        patch.role.set(&mut user.role);
        patch.enabled.set(&mut user.enabled);
        Ok(())
    };
    let (engine, by) = (&app.engine, caller.actor());
    let expected = precondition.expected();
    let user = engine.change(&slug, &by, expected, apply).await?;
    Ok(shown(&user, Vec::new()))
}

async fn set_password(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    Input(NewPassword {
        password: Secret(password),
    }): Input<NewPassword>,
) -> Result<StatusCode, Problem> {
    let engine = &app.engine;
    // Hashing is expensive: do not hash for a user that does not exist.
    find::<User>(engine, &slug).await?;
    let hash = hash(&password).await?;
    let apply = |user: &mut User| {
        user.password = Some(hash.clone());
        Ok(())
    };
    engine.change(&slug, &caller.actor(), None, apply).await?;
    Ok(StatusCode::NO_CONTENT)
}
