//! Reading and editing of everything in the directory, whatever its type.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::Engine;
use redflash_core::engine::{DirectoryItem, EditError, Revision};
use redflash_core::model::Slug;
use redflash_core::store::{Store, StoreError};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::api::caller::Caller;
use crate::api::extract::json_body::Input;
use crate::api::extract::path::Named;
use crate::api::extract::precondition::{Precondition, RequiredIfMatch, with_etag};
use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::page::{Listed, Page, truncate};
use crate::api::problem::Problem;
use crate::app::App;
use crate::route::{Auth, Permission, Route};
use crate::search_text::compact;

/// An item of the directory that the API shows.
pub(super) trait Resource: DirectoryItem {
    /// Its DTO. The list of a page is also the path of all items below `/api/v1`.
    type View: Listed + Send;

    /// Returns all items.
    fn all(store: &dyn Store) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;

    /// Returns its slug.
    fn slug(&self) -> &Slug;

    /// Returns the texts that a list is searched in.
    fn texts(&self) -> Vec<&str>;

    /// Returns its DTO.
    ///
    /// * `warnings` - likely mistakes in what was just saved.
    fn view(&self, warnings: Vec<String>) -> Self::View;
}

/// An item of the directory that the API edits field by field.
pub(super) trait Editable: Resource {
    /// Its name in operation ids, such as `Contact`.
    const NOUN: &'static str;
    /// Its name in a sentence, such as `a contact`.
    const ONE: &'static str;
    /// Its heading in the `OpenAPI` document.
    const TAG: &'static str;
    /// Summary of its removal.
    const REMOVAL: &'static str;

    /// The body that creates one.
    type New: DeserializeOwned + JsonSchema + Send + 'static;
    /// The body that replaces one.
    type Replacement: DeserializeOwned + JsonSchema + Into<Self::Patch> + Send + 'static;
    /// The body that changes some fields of one.
    type Patch: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// Creates one.
    ///
    /// # Errors
    ///
    /// [`EditError`] for invalid fields.
    fn create(new: Self::New, engine: &Engine) -> Result<Self, EditError>;

    /// Returns the slug in a patch, which must not differ from that in the path.
    fn slug_of(patch: &Self::Patch) -> Option<&Slug>;

    /// Applies a patch.
    ///
    /// # Errors
    ///
    /// [`EditError`] for invalid fields.
    fn apply(&mut self, patch: &Self::Patch, engine: &Engine) -> Result<(), EditError>;

    /// Returns likely mistakes that do not prevent saving.
    fn warnings(&self, engine: &Engine) -> Vec<String> {
        let _ = engine;
        Vec::new()
    }
}

/// Returns the routes of a type.
///
/// * `all` - path of the list.
/// * `one` - path of each item, by its slug.
pub(super) fn routes<T: Editable>(all: &'static str, one: &'static str) -> Vec<Route> {
    let view = Auth::ApiKey(Permission::View);
    let admin = Auth::ApiKey(Permission::Admin);
    let (noun, article, list_name) = (T::NOUN, T::ONE, T::View::LIST);
    let operation =
        |verb: &str, summary: String| Operation::new(format!("{verb}{noun}"), T::TAG, summary);
    vec![
        Route::new(Method::GET, all, view, list::<T>).described(
            Operation::new(format!("list{noun}s"), T::TAG, format!("List {list_name}"))
                .parameters(&["q", "limit", "cursor"])
                .ok::<Page<T::View>>(),
        ),
        Route::new(Method::POST, all, admin, create::<T>).described(
            operation("create", format!("Create {article}"))
                .body::<T::New>()
                .created::<T::View>()
                .errors(&[409]),
        ),
        Route::new(Method::GET, one, view, read::<T>).described(
            operation("read", format!("Get {article}"))
                .headers(&["If-None-Match"])
                .ok_with_etag::<T::View>()
                .empty_response(StatusCode::NOT_MODIFIED, &["ETag"]),
        ),
        Route::new(Method::PUT, one, admin, replace::<T>).described(
            operation("replace", format!("Replace {article}"))
                .headers(&["If-Match-Required"])
                .body::<T::Replacement>()
                .ok_with_etag::<T::View>()
                .errors(&[409]),
        ),
        Route::new(Method::PATCH, one, admin, change::<T>).described(
            operation("change", format!("Update some fields of {article}"))
                .headers(&["If-Match"])
                .body::<T::Patch>()
                .ok_with_etag::<T::View>()
                .errors(&[409]),
        ),
        Route::new(Method::DELETE, one, admin, remove::<T>).described(
            operation("remove", T::REMOVAL.into())
                .headers(&["If-Match"])
                .no_content(),
        ),
    ]
}

/// Lists the items that contain the query's text, by slug.
pub(super) async fn list<T: Resource>(
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Page<T::View>, Problem> {
    let all = T::all(&**app.engine.store()).await?;
    let (found, next) = page(&query, all, T::slug, T::texts)?;
    let items = found.iter().map(|item| item.view(Vec::new())).collect();
    Ok(Page { items, next })
}

/// Returns the page that a query asks for, in the order of slugs, and the cursor of the next page.
///
/// * `texts` - the texts of an item that are searched.
pub(super) fn page<T>(
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
    let next = truncate(&mut all, limit, |one| slug(one).clone());
    Ok((all, next))
}

/// Shows an item.
pub(super) async fn read<T: Resource>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    precondition: Precondition,
) -> Result<Response, Problem> {
    let found: T = find(&app.engine, &slug).await?;
    let body = Json(found.view(Vec::new()));
    Ok(precondition.respond(&Revision::of(&found), body))
}

/// Returns the item with this slug.
///
/// # Errors
///
/// [`StoreError::Missing`] if there is none.
pub(super) async fn find<T: DirectoryItem>(engine: &Engine, slug: &Slug) -> Result<T, StoreError> {
    let found = T::find(&**engine.store(), slug).await?;
    found.ok_or_else(|| StoreError::Missing {
        what: T::named(slug.clone()).to_string(),
    })
}

/// Creates an item.
async fn create<T: Editable>(
    State(app): State<Arc<App>>,
    caller: Caller,
    Input(new): Input<T::New>,
) -> Result<Response, Problem> {
    let item = T::create(new, &app.engine)?;
    app.engine.create(&item, &caller.actor()).await?;
    Ok(created(&item, item.warnings(&app.engine)))
}

/// Replaces an item.
async fn replace<T: Editable>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    RequiredIfMatch(expected): RequiredIfMatch,
    Input(replacement): Input<T::Replacement>,
) -> Result<Response, Problem> {
    let patch = replacement.into();
    save::<T>(&app.engine, &slug, &caller, expected.as_ref(), &patch).await
}

/// Changes some fields of an item.
async fn change<T: Editable>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    precondition: Precondition,
    Input(patch): Input<T::Patch>,
) -> Result<Response, Problem> {
    save::<T>(&app.engine, &slug, &caller, precondition.expected(), &patch).await
}

async fn save<T: Editable>(
    engine: &Engine,
    slug: &Slug,
    caller: &Caller,
    expected: Option<&Revision>,
    patch: &T::Patch,
) -> Result<Response, Problem> {
    if T::slug_of(patch).is_some_and(|other| other != slug) {
        return Err(Problem::other_slug(slug));
    }
    let apply = |item: &mut T| item.apply(patch, engine);
    let item = engine
        .change(slug, &caller.actor(), expected, apply)
        .await?;
    Ok(shown(&item, item.warnings(engine)))
}

/// Removes an item.
pub(super) async fn remove<T: Resource>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    precondition: Precondition,
) -> Result<StatusCode, Problem> {
    let expected = precondition.expected();
    app.engine
        .remove::<T>(&slug, &caller.actor(), expected)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the response to a change.
///
/// * `warnings` - likely mistakes in what was saved.
pub(super) fn shown<T: Resource>(item: &T, warnings: Vec<String>) -> Response {
    with_etag(&Revision::of(item), Json(item.view(warnings)))
}

/// Returns the response to a creation.
///
/// * `warnings` - likely mistakes in what was saved.
pub(super) fn created<T: Resource>(item: &T, warnings: Vec<String>) -> Response {
    let location = format!("/api/v1/{}/{}", T::View::LIST, item.slug());
    let body = Json(item.view(warnings));
    let created = (StatusCode::CREATED, [(LOCATION, location)], body);
    with_etag(&Revision::of(item), created)
}
