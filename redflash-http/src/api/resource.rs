//! Something of the directory, as it is listed, read, made and removed whatever it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use redflash_core::{Item, Revision, Slug, Store, StoreError};
use serde::Serialize;

use super::Caller;
use super::condition::{Condition, revised};
use super::named::Named;
use super::page::Page;
use super::query::Query;
use crate::admin::compact;
use crate::front::App;
use crate::problem::Problem;

/// Something of the directory that the API shows.
pub(super) trait Resource: Item {
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
    let limit = usize::try_from(query.limit()?.get()).unwrap_or(usize::MAX);
    let after: Option<Slug> = query.read("cursor")?;
    let wanted = compact(query.text("q").unwrap_or_default());
    let mut found = T::all(&**app.engine.store()).await?;
    let has = |text: &&str| compact(text).contains(&wanted);
    found.retain(|one| {
        after.as_ref().is_none_or(|after| one.slug() > after) && one.texts().iter().any(has)
    });
    found.sort_by(|one, other| one.slug().cmp(other.slug()));
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|one| one.slug().to_string());
    let page = Page {
        name: T::PLURAL,
        items: found.iter().map(Resource::view).collect(),
        next: last.filter(|_| more),
    };
    Ok(page.into_response())
}

/// Shows one.
pub(super) async fn read<T: Resource>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    condition: Condition,
) -> Result<Response, Problem> {
    let found = T::find(&**app.engine.store(), &slug).await?;
    let found = found.ok_or_else(|| StoreError::Missing {
        what: T::named(slug).to_string(),
    })?;
    Ok(condition.answer(&Revision::of(&found), Json(found.view())))
}

/// Removes one.
pub(super) async fn remove<T: Resource>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
) -> Result<StatusCode, Problem> {
    let seen = condition.seen();
    app.engine
        .discard::<T>(&slug, &caller.actor(), seen)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The answer to whoever has changed one.
pub(super) fn shown<T: Resource>(item: &T) -> Response {
    revised(&Revision::of(item), Json(item.view()))
}

/// The answer to whoever has made one.
pub(super) fn created<T: Resource>(item: &T) -> Response {
    let place = [(LOCATION, format!("/api/v1/{}/{}", T::PLURAL, item.slug()))];
    let created = (StatusCode::CREATED, place, Json(item.view()));
    revised(&Revision::of(item), created)
}
