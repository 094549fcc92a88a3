//! Something of the directory, as it is listed, read, made and removed whatever it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use redflash_core::{DirectoryItem, Engine, Revision, Slug, Store, StoreError};
use serde::Serialize;

use crate::admin::compact;
use crate::api::Caller;
use crate::api::extract::path::Named;
use crate::api::extract::precondition::{Condition, revised};
use crate::api::extract::query::Query;
use crate::api::page::{Page, cut};
use crate::api::problem::Problem;
use crate::app::App;

/// Something of the directory that the API shows.
pub(super) trait Resource: DirectoryItem {
    /// What several are called, such as `contacts`: they are at `/api/v1/contacts`.
    const PLURAL: &'static str;

    /// All there are.
    fn all(store: &dyn Store) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;

    /// How it is called in URLs.
    fn slug(&self) -> &Slug;

    /// Where a text is looked for.
    fn texts(&self) -> Vec<&str>;

    /// What is shown of it.
    fn view(&self) -> impl Serialize + Send;
}

/// Lists those in which a text is, in the order of slugs.
pub(super) async fn list<T: Resource>(
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Problem> {
    let all = T::all(&**app.engine.store()).await?;
    let (found, next) = excerpt(&query, all, T::slug, T::texts)?;
    let page = Page {
        name: T::PLURAL,
        items: found.iter().map(Resource::view).collect(),
        next,
    };
    Ok(page.into_response())
}

/// Those that a query asks for, in the order of slugs, and where the following page begins.
///
/// * `texts` - where a text is looked for.
pub(super) fn excerpt<T>(
    query: &Query,
    mut all: Vec<T>,
    slug: impl Fn(&T) -> &Slug,
    texts: impl Fn(&T) -> Vec<&str>,
) -> Result<(Vec<T>, Option<String>), Problem> {
    let limit = query.limit()?;
    let after: Option<Slug> = query.read("cursor")?;
    let wanted = compact(query.text("q").unwrap_or_default());
    let has = |text: &&str| compact(text).contains(&wanted);
    all.retain(|one| {
        after.as_ref().is_none_or(|after| slug(one) > after) && texts(one).iter().any(has)
    });
    all.sort_by(|one, other| slug(one).cmp(slug(other)));
    let next = cut(&mut all, limit, |one| slug(one).clone());
    Ok((all, next))
}

/// Shows one.
pub(super) async fn read<T: Resource>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    condition: Condition,
) -> Result<Response, Problem> {
    let found: T = find(&app.engine, &slug).await?;
    Ok(condition.answer(&Revision::of(&found), Json(found.view())))
}

/// The one of this slug.
///
/// # Errors
///
/// [`StoreError::Missing`] when there is none.
pub(super) async fn find<T: DirectoryItem>(engine: &Engine, slug: &Slug) -> Result<T, StoreError> {
    let found = T::find(&**engine.store(), slug).await?;
    found.ok_or_else(|| StoreError::Missing {
        what: T::named(slug.clone()).to_string(),
    })
}

/// Removes one.
pub(super) async fn remove<T: Resource>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
) -> Result<StatusCode, Problem> {
    let seen = condition.seen();
    app.engine.remove::<T>(&slug, &caller.actor(), seen).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Something that was saved, with what may not be meant so.
#[derive(Serialize)]
pub(super) struct Warned<T> {
    #[serde(flatten)]
    pub(super) view: T,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
}

/// The answer to whoever has changed one.
///
/// * `warnings` - what may not be meant so.
pub(super) fn shown<T: Resource>(item: &T, warnings: Vec<String>) -> Response {
    let view = item.view();
    revised(&Revision::of(item), Json(Warned { view, warnings }))
}

/// The answer to whoever has made one.
///
/// * `warnings` - what may not be meant so.
pub(super) fn created<T: Resource>(item: &T, warnings: Vec<String>) -> Response {
    let view = item.view();
    let place = [(LOCATION, format!("/api/v1/{}/{}", T::PLURAL, item.slug()))];
    let created = (StatusCode::CREATED, place, Json(Warned { view, warnings }));
    revised(&Revision::of(item), created)
}
