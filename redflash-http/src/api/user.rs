//! `/api/v1/users`: who may log in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{Name, PasswordHash, Role, Slug, Store, StoreError, User, UserView};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::api::Caller;
use crate::api::extract::json_body::{Input, Secret, given, on};
use crate::api::extract::path::Named;
use crate::api::extract::precondition::Condition;
use crate::api::openapi::operation::Operation;
use crate::api::problem::Problem;
use crate::api::resource::{Resource, created, find, list, remove, shown};
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
            Operation::new("listUsers", TAG, "Lists users")
                .asks(&["q", "limit", "cursor"])
                .gives("UserPage"),
        ),
        Route::new(Method::POST, ALL, admin, create).described(
            Operation::new("createUser", TAG, "Makes a user")
                .takes("NewUser")
                .makes("User")
                .refuses(&[409]),
        ),
        Route::new(Method::GET, ONE, admin, read)
            .described(Operation::new("readUser", TAG, "Shows a user").gives_revised("User")),
        Route::new(Method::PATCH, ONE, admin, change).described(
            Operation::new(
                "changeUser",
                TAG,
                "Changes a user; the sessions of one who may less end",
            )
            .reads(&["If-Match"])
            .takes("UserChanges")
            .gives_revised("User")
            .refuses(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove::<User>).described(
            Operation::new("removeUser", TAG, "Removes a user, whose sessions end")
                .reads(&["If-Match"])
                .ends()
                .refuses(&[409]),
        ),
        Route::new(Method::PUT, PASSWORD, admin, set_password).described(
            Operation::new(
                "setPassword",
                TAG,
                "Gives a user another password; the user's sessions end",
            )
            .takes("Password")
            .ends(),
        ),
    ]
}

impl Resource for User {
    const PLURAL: &'static str = "users";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.users().await
    }

    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn texts(&self) -> Vec<&str> {
        vec![self.slug.as_str(), self.name.as_str()]
    }

    fn view(&self) -> impl Serialize + Send {
        UserView::from(self)
    }
}

/// A user who is to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    slug: Slug,
    name: Name,
    role: Role,
    #[serde(default = "on")]
    enabled: bool,
    #[serde(default, deserialize_with = "given")]
    password: Option<Secret>,
}

/// What is to be different about a user.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Changes {
    #[serde(deserialize_with = "given")]
    name: Option<Name>,
    #[serde(deserialize_with = "given")]
    role: Option<Role>,
    #[serde(deserialize_with = "given")]
    enabled: Option<bool>,
}

/// A password that is to be set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    password: Secret,
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Input(new): Input<New>,
) -> Result<Response, Problem> {
    let engine = &app.engine;
    let mut user = User::new(new.slug, new.name, new.role, engine.now());
    user.enabled = new.enabled;
    if let Some(Secret(password)) = &new.password {
        user.password = Some(hash(password).await?);
    }
    engine.create(&user, &caller.actor()).await?;
    Ok(created(&user, Vec::new()))
}

/// The hash of a password that keeps the rules.
async fn hash(password: &SecretString) -> Result<PasswordHash, Problem> {
    hash_password(password).await.map_err(|fault| match fault {
        PasswordError::Failed => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", fault.to_string())
        }
        fault => Problem::field("password", fault.to_string()),
    })
}

async fn read(State(app): State<Arc<App>>, Named(slug): Named) -> Result<Response, Problem> {
    Ok(shown(&find::<User>(&app.engine, &slug).await?, Vec::new()))
}

async fn change(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
    Input(changes): Input<Changes>,
) -> Result<Response, Problem> {
    let apply = |user: &mut User| {
        if let Some(name) = &changes.name {
            user.name.clone_from(name);
        }
        user.role = changes.role.unwrap_or(user.role);
        user.enabled = changes.enabled.unwrap_or(user.enabled);
        Ok(())
    };
    let (engine, by) = (&app.engine, caller.actor());
    let user = engine.change(&slug, &by, condition.seen(), apply).await?;
    Ok(shown(&user, Vec::new()))
}

async fn set_password(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    Input(Password {
        password: Secret(password),
    }): Input<Password>,
) -> Result<StatusCode, Problem> {
    let engine = &app.engine;
    // Nobody pays for a hash that nobody gets.
    find::<User>(engine, &slug).await?;
    let hash = hash(&password).await?;
    let apply = |user: &mut User| {
        user.password = Some(hash.clone());
        Ok(())
    };
    engine.change(&slug, &caller.actor(), None, apply).await?;
    Ok(StatusCode::NO_CONTENT)
}
