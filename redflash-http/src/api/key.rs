//! `/api/v1/keys`: what systems raise alerts with, and use this API.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::{ApiKey, EditError, Engine, KeyView, Revision, Scope, Slug, Target};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::api::Caller;
use crate::api::extract::json_body::{Input, OrNull, Secret, given, on};
use crate::api::extract::path::Named;
use crate::api::extract::precondition::{Condition, revised};
use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::page::Page;
use crate::api::problem::Problem;
use crate::api::resource::{excerpt, find};
use crate::app::App;
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/keys";
const ONE: &str = "/api/v1/keys/{slug}";
const TAG: &str = "Keys";

pub(super) fn routes() -> Vec<Route> {
    let admin = Auth::ApiKey(Permission::Admin);
    vec![
        Route::new(Method::GET, ALL, admin, list).described(
            Operation::new("listKeys", TAG, "Lists keys")
                .asks(&["q", "limit", "cursor"])
                .gives("KeyPage"),
        ),
        Route::new(Method::POST, ALL, admin, create).described(
            Operation::new(
                "createKey",
                TAG,
                "Makes a key, whose secret is shown in this answer and never again",
            )
            .takes("NewKey")
            .makes("MadeKey")
            .refuses(&[409]),
        ),
        Route::new(Method::GET, ONE, admin, read)
            .described(Operation::new("readKey", TAG, "Shows a key").gives_revised("Key")),
        Route::new(Method::PATCH, ONE, admin, change).described(
            Operation::new("changeKey", TAG, "Switches a key, or changes what it may")
                .reads(&["If-Match"])
                .takes("KeyChanges")
                .gives_revised("Key")
                .refuses(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove).described(
            Operation::new("removeKey", TAG, "Removes a key: whoever has it is refused")
                .reads(&["If-Match"])
                .ends()
                .refuses(&[409]),
        ),
    ]
}

/// A key that is to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    slug: Slug,
    #[serde(default = "on")]
    enabled: bool,
    #[serde(default)]
    inspect: bool,
    #[serde(default)]
    admin: bool,
    /// What it may raise; everything if nothing is said.
    #[serde(default)]
    only: Option<BTreeSet<Target>>,
    /// The secret of a key that somebody has already.
    #[serde(default, deserialize_with = "given")]
    value: Option<Secret>,
}

/// What is to be different about a key.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Changes {
    #[serde(deserialize_with = "given")]
    enabled: Option<bool>,
    #[serde(deserialize_with = "given")]
    inspect: Option<bool>,
    #[serde(deserialize_with = "given")]
    admin: Option<bool>,
    /// What it may raise; null for everything.
    #[serde(deserialize_with = "given")]
    only: Option<OrNull<BTreeSet<Target>>>,
}

/// A key that was just made.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    key: KeyView,
    /// Nothing where its owner has brought it along.
    secret: Option<&'a str>,
}

fn scope(only: Option<BTreeSet<Target>>) -> Scope {
    only.map_or(Scope::All, Scope::Only)
}

/// Where a text is looked for.
fn texts(key: &ApiKey) -> Vec<&str> {
    vec![key.slug.as_str(), &key.hint]
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Response, Problem> {
    let store = app.engine.store();
    let (keys, uses) = (store.api_keys().await?, store.key_uses().await?);
    let (found, next) = excerpt(&query, keys, |key| &key.slug, texts)?;
    let view = |key: &ApiKey| KeyView::new(key, uses.get(&key.slug).copied());
    let page = Page {
        name: "keys",
        items: found.iter().map(view).collect(),
        next,
    };
    Ok(page.into_response())
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Input(new): Input<New>,
) -> Result<Response, Problem> {
    let enabled = new.enabled;
    let (mut key, secret) = make(&app.engine, new)?;
    key.enabled = enabled;
    app.engine.create(&key, &caller.actor()).await?;
    let made = Made {
        key: KeyView::new(&key, None),
        secret: secret.as_ref().map(ExposeSecret::expose_secret),
    };
    let place = [(LOCATION, format!("{ALL}/{}", key.slug))];
    let created = (StatusCode::CREATED, place, Json(made));
    Ok(revised(&Revision::of(&key), created))
}

/// The key, and its secret if that is a new one.
fn make(engine: &Engine, new: New) -> Result<(ApiKey, Option<SecretString>), EditError> {
    let (slug, scope, now) = (new.slug, scope(new.only), engine.now());
    let (key, secret) = match new.value {
        None => {
            let (key, secret) = ApiKey::generate(slug, new.inspect, scope, now);
            (key, Some(secret))
        }
        Some(Secret(value)) => {
            let key = ApiKey::import(slug, new.inspect, scope, now, &value);
            let key = key.map_err(|fault| EditError::field("value", fault.to_string()))?;
            (key, None)
        }
    };
    Ok((if new.admin { key.with_admin() } else { key }, secret))
}

async fn read(State(app): State<Arc<App>>, Named(slug): Named) -> Result<Response, Problem> {
    let key = find(&app.engine, &slug).await?;
    shown(&app.engine, &key).await
}

async fn shown(engine: &Engine, key: &ApiKey) -> Result<Response, Problem> {
    let used_at = engine.store().key_uses().await?.get(&key.slug).copied();
    let view = Json(KeyView::new(key, used_at));
    Ok(revised(&Revision::of(key), view))
}

async fn change(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
    Input(changes): Input<Changes>,
) -> Result<Response, Problem> {
    if changes.enabled == Some(false) || changes.admin == Some(false) {
        is_another(&slug, &caller)?;
    }
    let apply = |key: &mut ApiKey| {
        key.enabled = changes.enabled.unwrap_or(key.enabled);
        key.admin = changes.admin.unwrap_or(key.admin);
        key.inspect = key.admin || changes.inspect.unwrap_or(key.inspect);
        if let Some(only) = &changes.only {
            key.scope = scope(only.0.clone());
        }
        Ok(())
    };
    let (engine, by) = (&app.engine, caller.actor());
    let key = engine.change(&slug, &by, condition.seen(), apply).await?;
    shown(engine, &key).await
}

async fn remove(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
) -> Result<StatusCode, Problem> {
    is_another(&slug, &caller)?;
    let (by, seen) = (caller.actor(), condition.seen());
    app.engine.remove::<ApiKey>(&slug, &by, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses what would shut out whoever asks: nothing here could take it back.
fn is_another(slug: &Slug, caller: &Caller) -> Result<(), Problem> {
    if *slug != caller.key.slug {
        return Ok(());
    }
    let detail = format!("{slug} is the key that asks for this: ask with another admin's key");
    Err(Problem::new(StatusCode::CONFLICT, "own_key", detail))
}
