//! Something of the directory, as it is made, replaced and changed whatever it is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{EditError, Engine, Revision, Slug};
use serde::de::DeserializeOwned;

use crate::api::Caller;
use crate::api::extract::json_body::Input;
use crate::api::extract::path::Named;
use crate::api::extract::precondition::Condition;
use crate::api::openapi::operation::Operation;
use crate::api::problem::Problem;
use crate::api::resource::{Resource, created, list, read, remove, shown};
use crate::app::App;
use crate::route::{Auth, Permission, Route};

/// Something of the directory that is written field by field.
pub(super) trait Written: Resource {
    /// What one is called in the description.
    const NOUN: &'static str;
    /// The same in a sentence, such as `a contact`.
    const ONE: &'static str;
    /// What several are called as a heading.
    const TAG: &'static str;
    /// What removing one does.
    const REMOVAL: &'static str;

    /// What a body says of one. Any field may be left out.
    type Said: DeserializeOwned + Send + Sync + 'static;

    /// What is said of its slug.
    fn said_slug(said: &Self::Said) -> Option<&Slug>;

    /// A new one of which no more is said than what it needs.
    ///
    /// # Errors
    ///
    /// [`EditError::Invalid`] for what it needs and is not said.
    fn new(said: &Self::Said) -> Result<Self, EditError>;

    /// Whether everything is said of it, its slug apart.
    ///
    /// # Errors
    ///
    /// [`EditError::Invalid`] for what is not said.
    fn is_whole(said: &Self::Said) -> Result<(), EditError>;

    /// Names what may not be meant so, though it can be saved.
    fn warnings(&self, engine: &Engine) -> Vec<String> {
        let _ = engine;
        Vec::new()
    }

    /// Makes it what is said of it.
    ///
    /// # Errors
    ///
    /// [`EditError`] for what cannot be.
    fn apply(&mut self, said: &Self::Said, engine: &Engine) -> Result<(), EditError>;
}

/// The URLs of one kind.
///
/// * `all` - the list.
/// * `one` - each, by its slug.
pub(super) fn routes<T: Written>(all: &'static str, one: &'static str) -> Vec<Route> {
    let view = Auth::ApiKey(Permission::View);
    let admin = Auth::ApiKey(Permission::Admin);
    let (noun, article) = (T::NOUN, T::ONE);
    let does =
        |verb: &str, summary: String| Operation::new(format!("{verb}{noun}"), T::TAG, summary);
    vec![
        Route::new(Method::GET, all, view, list::<T>).described(
            Operation::new(
                format!("list{noun}s"),
                T::TAG,
                format!("Lists {}", T::PLURAL),
            )
            .asks(&["q", "limit", "cursor"])
            .gives(format!("{noun}Page")),
        ),
        Route::new(Method::POST, all, admin, create::<T>).described(
            does("create", format!("Makes {article}"))
                .takes(format!("New{noun}"))
                .makes(noun)
                .refuses(&[409]),
        ),
        Route::new(Method::GET, one, view, read::<T>).described(
            does("read", format!("Shows {article}"))
                .reads(&["If-None-Match"])
                .gives_revised(noun)
                .answers(StatusCode::NOT_MODIFIED, None, &["ETag"]),
        ),
        Route::new(Method::PUT, one, admin, replace::<T>).described(
            does("replace", format!("Replaces all that is said of {article}"))
                .reads(&["If-Match-Needed"])
                .takes(format!("Whole{noun}"))
                .gives_revised(noun)
                .refuses(&[409]),
        ),
        Route::new(Method::PATCH, one, admin, change::<T>).described(
            does(
                "change",
                format!("Changes some of what is said of {article}"),
            )
            .reads(&["If-Match"])
            .takes(format!("{noun}Changes"))
            .gives_revised(noun)
            .refuses(&[409]),
        ),
        Route::new(Method::DELETE, one, admin, remove::<T>).described(
            does("remove", T::REMOVAL.into())
                .reads(&["If-Match"])
                .ends(),
        ),
    ]
}

/// A field that has to be said.
pub(super) fn needed<'a, T>(name: &str, field: Option<&'a T>) -> Result<&'a T, EditError> {
    field.ok_or_else(|| EditError::field(name, "is missing"))
}

/// Makes one.
pub(super) async fn create<T: Written>(
    State(app): State<Arc<App>>,
    caller: Caller,
    Input(said): Input<T::Said>,
) -> Result<Response, Problem> {
    let mut item = T::new(&said)?;
    item.apply(&said, &app.engine)?;
    app.engine.create(&item, &caller.actor()).await?;
    Ok(created(&item, item.warnings(&app.engine)))
}

/// Replaces all that is said of one.
pub(super) async fn replace<T: Written>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
    Input(said): Input<T::Said>,
) -> Result<Response, Problem> {
    let seen = condition.must_be_seen()?;
    T::is_whole(&said)?;
    save::<T>(&app.engine, &slug, &caller, seen, &said).await
}

/// Changes some of what is said of one.
pub(super) async fn change<T: Written>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
    Input(said): Input<T::Said>,
) -> Result<Response, Problem> {
    save::<T>(&app.engine, &slug, &caller, condition.seen(), &said).await
}

async fn save<T: Written>(
    engine: &Engine,
    slug: &Slug,
    caller: &Caller,
    seen: Option<&Revision>,
    said: &T::Said,
) -> Result<Response, Problem> {
    if T::said_slug(said).is_some_and(|said| said != slug) {
        return Err(Problem::other_slug(slug));
    }
    let apply = |item: &mut T| item.apply(said, engine);
    let item = engine.change(slug, &caller.actor(), seen, apply).await?;
    Ok(shown(&item, item.warnings(engine)))
}
