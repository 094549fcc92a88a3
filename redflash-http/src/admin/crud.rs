//! Lists, forms, switches and removal, the same for every kind of directory item.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::engine::{DirectoryItem, EditError, Revision};
use redflash_core::model::{ApiKey, Contact, Event, Group, Slug, User};
use redflash_core::store::{Store, StoreError};
use serde::Serialize;

use crate::admin::ui::field::{Field, Switch};
use crate::admin::ui::flash::Flash;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors, Notice};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{ListQuery, PageLinks};
use crate::admin::ui::partials::Empty;
use crate::admin::ui::path::SlugPath;
use crate::admin::ui::redirect::{redirect_toggled, redirect_with};
use crate::admin::ui::referer::Referer;
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::admin::urls::ItemPaths;
use crate::route::{Auth, Permission, Route};

/// A directory item with a page and a switch.
pub(crate) trait Item: DirectoryItem {
    const PATHS: ItemPaths;

    fn slug(&self) -> &Slug;

    /// Accessible name of its switch, such as `Contact Ops`.
    fn label(&self) -> String;

    fn enabled(&self) -> bool;

    fn set_enabled(&mut self, enabled: bool);
}

macro_rules! item {
    ($kind:ident, $paths:ident, $noun:literal, $name:ident) => {
        impl Item for $kind {
            const PATHS: ItemPaths = urls::$paths;

            fn slug(&self) -> &Slug {
                &self.slug
            }

            fn label(&self) -> String {
                format!(concat!($noun, " {}"), self.$name)
            }

            fn enabled(&self) -> bool {
                self.enabled
            }

            fn set_enabled(&mut self, enabled: bool) {
                self.enabled = enabled;
            }
        }
    };
}

item!(Contact, CONTACTS, "Contact", name);
item!(Group, GROUPS, "Group", name);
item!(Event, EVENTS, "Event", name);
item!(ApiKey, KEYS, "Key", slug);
item!(User, USERS, "User", name);

/// Titles and templates of the pages of one kind of item.
pub(crate) struct Pages {
    /// The heading of the list, such as `Contacts`.
    pub(crate) title: &'static str,
    pub(crate) section: Section,
    pub(crate) list_template: &'static str,
    pub(crate) new_title: &'static str,
    pub(crate) new_template: &'static str,
    /// The texts that a search of the list looks at.
    pub(crate) search_label: &'static str,
}

/// A submitted form that was rejected, with the reasons.
pub(crate) type Rejected<'a> = Option<(&'a Form, &'a FormErrors)>;

/// A directory item that users list, create and change in the web admin.
pub(crate) trait Resource: Item {
    const PAGES: Pages;
    /// The permission to see the list and the pages; changes need [`Permission::Admin`].
    const READ: Permission;

    /// A row of the list.
    type Row: Serialize + Send;
    /// The fields of the form that creates an item, besides its slug.
    type NewForm: Serialize + Send;
    /// A secret that is shown only once, after creation.
    type Secret: Send;

    /// Returns all items.
    fn all(store: &dyn Store) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;

    /// Returns the texts that a search looks at.
    fn search_texts(&self) -> Vec<String>;

    /// Returns the rows of a list.
    fn rows(
        context: &PageContext,
        items: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Row>, StoreError>> + Send;

    /// Returns the text of a list without items.
    ///
    /// * `new` - the URL of the form that creates one, for users who may.
    fn empty_list(new: Option<&'static str>) -> Empty;

    /// Returns the field for the slug of a new item.
    fn slug_field() -> Field {
        slug_field()
    }

    /// Returns the form that creates an item, filled in from `form`.
    fn new_form(
        context: &PageContext,
        form: &Form,
        errors: Option<&FormErrors>,
    ) -> impl Future<Output = Result<Self::NewForm, PageError>> + Send;

    /// Reads a new item from a form.
    fn parse_new(
        context: &PageContext,
        form: &Form,
    ) -> impl Future<Output = Result<(Self, Self::Secret), FormError>> + Send;

    /// Returns true if an earlier submission of `form` created `existing`.
    ///
    /// * `new` - the item that this submission would create.
    fn is_repeat(existing: &Self, new: &Self, form: &Form) -> impl Future<Output = bool> + Send;

    /// Answers a form that has created an item.
    fn created(context: &PageContext, item: &Self, secret: Self::Secret) -> Response {
        let _ = (context, secret);
        redirect_with(&Self::PATHS.of(item.slug()), Flash::Added)
    }

    /// Changes the fields that a form sets, the switch excepted.
    fn apply(&mut self, form: &Form) -> Result<(), FieldErrors>;

    /// Returns the revision that the form was made for; `None` if it may change any revision.
    fn revision(form: &Form) -> Option<Revision> {
        Some(Revision::new(form.get("version")))
    }

    /// Shows the page of an item, with the errors of a rejected form.
    fn show(
        context: &PageContext,
        slug: &Slug,
        rejected: Rejected<'_>,
    ) -> impl Future<Output = Result<Response, PageError>> + Send;
}

/// Returns the routes of one kind of item.
pub(crate) fn routes<T: Resource>() -> Vec<Route> {
    let paths = T::PATHS;
    let read = Auth::Session(T::READ);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, paths.list, read, list::<T>),
        Route::new(Method::POST, paths.list, admin, create::<T>),
        Route::new(Method::GET, paths.new, admin, new::<T>),
        Route::new(Method::GET, paths.page, read, page::<T>),
        Route::new(Method::POST, paths.page, admin, save::<T>),
        Route::new(Method::POST, paths.toggle, admin, toggle::<T>),
        Route::new(Method::POST, paths.delete, admin, delete::<T>),
    ]
}

/// Returns the switch of an item.
pub(crate) fn switch<T: Item>(item: &T, context: &PageContext) -> Switch {
    Switch {
        action: format!("{}/switch", T::PATHS.of(item.slug())),
        label: item.label(),
        on: item.enabled(),
        locked: !context.is_admin(),
    }
}

/// Returns the usual field for the slug of a new item.
pub(crate) fn slug_field() -> Field {
    Field::text("slug", "Slug")
        .hint("Used in URLs and commands. Letters, digits, - and _. Cannot be changed later.")
        .required()
}

#[derive(Serialize)]
struct List<R> {
    search: Field,
    /// The number of items that match the search.
    count: usize,
    rows: Vec<R>,
    links: PageLinks,
    empty: Empty,
    new: Option<&'static str>,
}

async fn list<T: Resource>(context: PageContext) -> Result<Response, PageError> {
    let items = T::all(&**context.app.engine.store()).await?;
    let query = ListQuery::of(T::PATHS.list, &context.query);
    let found = query.page(items, T::slug, T::search_texts);
    let new = context.is_admin().then_some(T::PATHS.new);
    let page = List {
        search: query.field(T::PAGES.search_label),
        count: found.count,
        rows: T::rows(&context, &found.shown).await?,
        links: found.links,
        empty: query.empty(T::empty_list(new)),
        new,
    };
    let pages = T::PAGES;
    Ok(context.page(pages.list_template, pages.section, pages.title, page))
}

#[derive(Serialize)]
struct New<F> {
    notice: Option<Notice>,
    once: String,
    slug: Field,
    #[serde(flatten)]
    form: F,
}

async fn new<T: Resource>(context: PageContext) -> Result<Response, PageError> {
    show_new::<T>(&context, &Form::default(), None).await
}

/// Shows the form that creates an item, filled in from `form`.
pub(crate) async fn show_new<T: Resource>(
    context: &PageContext,
    form: &Form,
    errors: Option<&FormErrors>,
) -> Result<Response, PageError> {
    let page = New {
        notice: errors.map(|errors| errors.notice(Vec::new())),
        once: form.once(),
        slug: T::slug_field()
            .value(form.get("slug"))
            .error(errors.and_then(|errors| errors.error("slug"))),
        form: T::new_form(context, form, errors).await?,
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    let pages = T::PAGES;
    Ok(context.page_with(
        status,
        pages.new_template,
        pages.section,
        pages.new_title,
        page,
    ))
}

async fn create<T: Resource>(context: PageContext, form: Form) -> Result<Response, PageError> {
    match add::<T>(&context, &form).await {
        Ok(created) => Ok(created),
        Err(error) => show_new::<T>(&context, &form, Some(&error.form()?)).await,
    }
}

async fn add<T: Resource>(context: &PageContext, form: &Form) -> Result<Response, FormError> {
    let engine = &context.app.engine;
    let (item, secret) = T::parse_new(context, form).await?;
    match engine.create(&item, &context.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if form.is_once() && exists::<T>(context, &item, form).await? =>
        {
            Ok(redirect_with(&T::PATHS.of(item.slug()), Flash::Added))
        }
        Err(error) => Err(error.into()),
        Ok(()) => Ok(T::created(context, &item, secret)),
    }
}

/// Returns true if an earlier submission of the form created the item.
async fn exists<T: Resource>(
    context: &PageContext,
    new: &T,
    form: &Form,
) -> Result<bool, StoreError> {
    match T::find(&**context.app.engine.store(), new.slug()).await? {
        Some(existing) => Ok(T::is_repeat(&existing, new, form).await),
        None => Ok(false),
    }
}

async fn page<T: Resource>(
    context: PageContext,
    SlugPath(slug): SlugPath,
) -> Result<Response, PageError> {
    T::show(&context, &slug, None).await
}

async fn save<T: Resource>(
    context: PageContext,
    SlugPath(slug): SlugPath,
    form: Form,
) -> Result<Response, PageError> {
    match change::<T>(&context, &slug, &form).await {
        Ok(()) => Ok(redirect_with(&T::PATHS.of(&slug), Flash::Saved)),
        Err(error) => {
            let errors = FormError::from(error).form()?;
            T::show(&context, &slug, Some((&form, &errors))).await
        }
    }
}

async fn change<T: Resource>(
    context: &PageContext,
    slug: &Slug,
    form: &Form,
) -> Result<(), EditError> {
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let change = |item: &mut T| {
        item.apply(form)?;
        item.set_enabled(enabled.unwrap_or(item.enabled()));
        Ok(())
    };
    let seen = T::revision(form);
    let engine = &context.app.engine;
    engine
        .change(slug, &context.actor(), seen.as_ref(), change)
        .await?;
    Ok(())
}

async fn toggle<T: Resource>(
    context: PageContext,
    SlugPath(slug): SlugPath,
    referer: Referer,
    form: Form,
) -> Result<Response, PageError> {
    let enabled = requested_state(&form)?;
    let change = |item: &mut T| {
        item.set_enabled(enabled);
        Ok(())
    };
    let engine = &context.app.engine;
    if let Err(error) = engine.change(&slug, &context.actor(), None, change).await {
        return refuse::<T>(&context, &slug, &form, error).await;
    }
    let page = T::PATHS.of(&slug);
    let next = referer.list_or(T::PATHS.list, &page);
    Ok(redirect_toggled(&next, &page, enabled))
}

async fn delete<T: Resource>(
    context: PageContext,
    SlugPath(slug): SlugPath,
    form: Form,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    match engine.remove::<T>(&slug, &context.actor(), None).await {
        Err(error) => refuse::<T>(&context, &slug, &form, error).await,
        Ok(()) => Ok(redirect_with(T::PATHS.list, Flash::Removed)),
    }
}

/// Shows the page of a user who must stay, or the page of another error.
async fn refuse<T: Resource>(
    context: &PageContext,
    slug: &Slug,
    form: &Form,
    error: EditError,
) -> Result<Response, PageError> {
    if !matches!(error, EditError::LastAdmin(_)) {
        return Err(error.into());
    }
    let errors = FormError::from(error).form()?;
    T::show(context, slug, Some((form, &errors))).await
}

/// Returns the state that a switch requests.
pub(crate) fn requested_state(form: &Form) -> Result<bool, PageError> {
    match form.get("enabled") {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(PageError::unreadable("Send enabled=true or enabled=false.")),
    }
}
