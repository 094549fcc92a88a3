//! `/api/v1/keys`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::Engine;
use redflash_core::engine::{EditError, Revision};
use redflash_core::model::{ApiKey, Slug};
use secrecy::{ExposeSecret, SecretString};

use crate::api::caller::Caller;
use crate::api::crud::{find, page};
use crate::api::extract::json_body::{Input, Secret};
use crate::api::extract::path::Named;
use crate::api::extract::precondition::{Precondition, with_etag};
use crate::api::extract::query::Query;
use crate::api::key::dto::{CreatedKey, Key, KeyPatch, NewKey, scope};
use crate::api::openapi::operation::Operation;
use crate::api::page::Page;
use crate::api::problem::Problem;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/keys";
const ONE: &str = "/api/v1/keys/{slug}";
const TAG: &str = "Keys";

pub(crate) fn routes() -> Vec<Route> {
    let admin = Auth::ApiKey(Permission::Admin);
    vec![
        Route::new(Method::GET, ALL, admin, list).described(
            Operation::new("listKeys", TAG, "List API keys")
                .parameters(&["q", "limit", "cursor"])
                .ok::<Page<Key>>(),
        ),
        Route::new(Method::POST, ALL, admin, create).described(
            Operation::new("createKey", TAG, "Create or import an API key")
                .body::<NewKey>()
                .created::<CreatedKey<'_>>()
                .errors(&[409]),
        ),
        Route::new(Method::GET, ONE, admin, read)
            .described(Operation::new("readKey", TAG, "Get an API key").ok_with_etag::<Key>()),
        Route::new(Method::PATCH, ONE, admin, change).described(
            Operation::new(
                "changeKey",
                TAG,
                "Enable or disable an API key, or change its permissions",
            )
            .headers(&["If-Match"])
            .body::<KeyPatch>()
            .ok_with_etag::<Key>()
            .errors(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove).described(
            Operation::new("removeKey", TAG, "Delete an API key")
                .headers(&["If-Match"])
                .no_content()
                .errors(&[409]),
        ),
    ]
}

/// Returns the texts that a list is searched in.
fn texts(key: &ApiKey) -> Vec<&str> {
    vec![key.slug.as_str(), &key.hint]
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Page<Key>, Problem> {
    let store = app.engine.store();
    let (keys, uses) = (store.api_keys().await?, store.key_usage().await?);
    let (found, next) = page(&query, keys, |key| &key.slug, texts)?;
    let view = |key: &ApiKey| Key::new(key, uses.get(&key.slug).copied());
    let items = found.iter().map(view).collect();
    Ok(Page { items, next })
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Input(new): Input<NewKey>,
) -> Result<Response, Problem> {
    let enabled = new.enabled;
    let (mut key, secret) = make(&app.engine, new)?;
    key.enabled = enabled;
    app.engine.create(&key, &caller.actor()).await?;
    let body = CreatedKey {
        key: Key::new(&key, None),
        secret: secret.as_ref().map(ExposeSecret::expose_secret),
    };
    let location = [(LOCATION, format!("{ALL}/{}", key.slug))];
    let created = (StatusCode::CREATED, location, Json(body));
    Ok(with_etag(&Revision::of(&key), created))
}

/// Creates a key, and returns its secret unless it was imported.
fn make(engine: &Engine, new: NewKey) -> Result<(ApiKey, Option<SecretString>), EditError> {
    let (slug, scope, now) = (new.slug, scope(new.only), engine.now());
    let (key, secret) = match new.value.0 {
        None => {
            let (key, secret) = ApiKey::generate(slug, new.inspect, scope, now);
            (key, Some(secret))
        }
        Some(Secret(value)) => {
            let key = ApiKey::import(slug, new.inspect, scope, now, &value);
            let key = key.map_err(|error| EditError::field("value", error.to_string()))?;
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
    let used_at = engine.store().key_usage().await?.get(&key.slug).copied();
    let body = Json(Key::new(key, used_at));
    Ok(with_etag(&Revision::of(key), body))
}

async fn change(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    precondition: Precondition,
    Input(patch): Input<KeyPatch>,
) -> Result<Response, Problem> {
    if patch.enabled.0 == Some(false) || patch.admin.0 == Some(false) {
        reject_own_key(&slug, &caller)?;
    }
    let apply = |key: &mut ApiKey| {
        patch.enabled.set(&mut key.enabled);
        patch.admin.set(&mut key.admin);
        patch.inspect.set(&mut key.inspect);
        key.inspect |= key.admin;
        if let Some(only) = &patch.only.0 {
            key.scope = scope(only.clone());
        }
        Ok(())
    };
    let (engine, by) = (&app.engine, caller.actor());
    let expected = precondition.expected();
    let key = engine.change(&slug, &by, expected, apply).await?;
    shown(engine, &key).await
}

async fn remove(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    precondition: Precondition,
) -> Result<StatusCode, Problem> {
    reject_own_key(&slug, &caller)?;
    let (by, expected) = (caller.actor(), precondition.expected());
    app.engine.remove::<ApiKey>(&slug, &by, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rejects a change with which a caller would lock itself out, since it could not be undone here.
fn reject_own_key(slug: &Slug, caller: &Caller) -> Result<(), Problem> {
    if *slug != caller.key.slug {
        return Ok(());
    }
    let detail = format!("{slug} is the key of this request: use the key of another admin");
    Err(Problem::new(StatusCode::CONFLICT, "own_key", detail))
}
