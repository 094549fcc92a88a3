//! `/admin/users`: who may log in.

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use redflash_core::{EditError, Name, Revision, Role, Slug, StoreError, User, UserView};
use serde::Serialize;

use crate::admin::auth::login::with_session;
use crate::admin::contact::list::slug_field;
use crate::admin::toggle;
use crate::admin::ui::field::{Choice, Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Notice, Refused, Rejection, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{Listing, Turn};
use crate::admin::ui::partials::Empty;
use crate::admin::ui::path::Named;
use crate::admin::ui::referer::Referer;
use crate::admin::ui::templates::Section;
use crate::admin::user::new_password;
use crate::admin::user::page;
use crate::auth::password::is_password;
use crate::route::{Auth, Permission, Route};

pub(crate) const LIST: &str = "/admin/users";

pub(crate) fn routes() -> Vec<Route> {
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, LIST, admin, list),
        Route::new(Method::POST, LIST, admin, create),
        Route::new(Method::GET, "/admin/new/user", admin, blank),
        Route::new(Method::GET, "/admin/users/{slug}", admin, page),
        Route::new(Method::POST, "/admin/users/{slug}", admin, save),
        Route::new(
            Method::POST,
            "/admin/users/{slug}/password",
            admin,
            set_password,
        ),
        Route::new(Method::POST, "/admin/users/{slug}/switch", admin, switch),
        Route::new(Method::POST, "/admin/users/{slug}/delete", admin, delete),
    ]
}

/// The page of a user.
pub(crate) fn url(slug: &Slug) -> String {
    format!("{LIST}/{slug}")
}

/// The switch of a user.
pub(crate) fn switch_of(user: &User) -> Switch {
    Switch {
        action: format!("{}/switch", url(&user.slug)),
        label: format!("User {}", user.name),
        on: user.enabled,
        locked: false,
    }
}

/// Where the role is chosen.
pub(crate) fn role_field(chosen: &str) -> Field {
    let choice = |role: Role, label: &str| Choice {
        value: role.to_string(),
        label: label.into(),
        detail: None,
        chosen: chosen == role.as_str(),
    };
    let choices = vec![
        choice(Role::Viewer, "Viewer: read-only access"),
        choice(Role::Admin, "Admin: full access"),
    ];
    Field::select("role", "Role", choices)
}

#[derive(Serialize)]
struct List {
    search: Field,
    count: usize,
    rows: Vec<Row>,
    turn: Turn,
    empty: Empty,
}

#[derive(Serialize)]
struct Row {
    url: String,
    name: String,
    slug: String,
    role: &'static str,
    way: &'static str,
    switch: Switch,
}

async fn list(desk: PageContext) -> Result<Response, PageError> {
    let users = desk.app.engine.store().users().await?;
    let listing = Listing::of(LIST, &desk.query);
    let texts = |user: &User| vec![user.slug.to_string(), user.name.to_string()];
    let found = listing.excerpt(users, |user| &user.slug, texts);
    let row = |user: &User| Row {
        url: url(&user.slug),
        name: user.name.to_string(),
        slug: user.slug.to_string(),
        role: user.role.as_str(),
        way: UserView::from(user).logs_in_by(),
        switch: switch_of(user),
    };
    let page = List {
        search: listing.field("Name or slug"),
        count: found.count,
        rows: found.shown.iter().map(row).collect(),
        turn: found.turn,
        empty: listing.empty(Empty {
            title: "No users".into(),
            text: "A user can log in to the web admin.".into(),
            action: None,
        }),
    };
    Ok(desk.page("users", Section::Users, "Users", page))
}

#[derive(Serialize)]
struct New {
    notice: Option<Notice>,
    once: String,
    name: Field,
    slug: Field,
    role: Field,
    password: new_password::Fields,
}

async fn blank(desk: PageContext) -> Response {
    form(&desk, &Form::default(), None)
}

/// The form of a new user, as it was filled in.
fn form(desk: &PageContext, form: &Form, rejection: Option<&Rejection>) -> Response {
    let error = |field| rejection.and_then(|rejection| rejection.error(field));
    let page = New {
        notice: rejection.map(|rejection| rejection.notice(Vec::new())),
        once: form
            .given("once")
            .map_or_else(PageContext::once, str::to_owned),
        name: Field::text("name", "Name")
            .value(form.get("name"))
            .error(error("name"))
            .hint("Display name, such as Ann Example.")
            .required(),
        slug: slug_field()
            .hint("User name for logging in. Letters, digits, - and _. Cannot be changed later.")
            .value(form.get("slug"))
            .error(error("slug")),
        role: role_field(form.get("role")).error(error("role")),
        password: new_password::Fields::new("Password", rejection),
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    desk.page_with(status, "user-new", Section::Users, "New user", page)
}

async fn create(desk: PageContext, form: Form) -> Result<Response, PageError> {
    match add(&desk, &form).await {
        Ok(slug) => Ok(PageContext::go(&url(&slug), Said::Added)),
        Err(refused) => Ok(self::form(&desk, &form, Some(&refused.form()?))),
    }
}

async fn add(desk: &PageContext, form: &Form) -> Result<Slug, Refused> {
    let engine = &desk.app.engine;
    let mut faults = Faults::default();
    let slug = faults.take("slug", Slug::parse(form.get("slug").trim()));
    let name = faults.take("name", Name::parse(form.get("name")));
    let role = faults.take("role", form.get("role").parse::<Role>());
    let password = if new_password::is_typed(form) {
        new_password::hash(form, &mut faults).await
    } else {
        None
    };
    let (Some(slug), Some(name), Some(role), true) = (slug, name, role, faults.is_empty()) else {
        return Err(faults.into());
    };
    let mut user = User::new(slug, name, role, desk.now());
    user.password = password;
    match engine.create(&user, &desk.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if is_once(form) && is_there(desk, &user, form).await? => {}
        made => made?,
    }
    Ok(user.slug)
}

/// Whether a user was made already, the time and the salt of the password apart.
async fn is_there(desk: &PageContext, wanted: &User, form: &Form) -> Result<bool, StoreError> {
    let Some(found) = desk.app.engine.store().user(&wanted.slug).await? else {
        return Ok(false);
    };
    let has_password = match (&found.password, &wanted.password) {
        (None, None) => true,
        (Some(hash), Some(_)) => is_password(&form.get("new").into(), Some(hash)).await,
        _ => false,
    };
    Ok(has_password && (&found.name, found.role) == (&wanted.name, wanted.role))
}

async fn page(desk: PageContext, Named(slug): Named) -> Result<Response, PageError> {
    page::show(&desk, &slug, None).await
}

async fn save(desk: PageContext, Named(slug): Named, form: Form) -> Result<Response, PageError> {
    match change(&desk, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&url(&slug), Said::Saved)),
        Err(refused) => page::show(&desk, &slug, Some((&form, &refused.form()?))).await,
    }
}

/// Changes what the form says; what it does not say stays as it is.
async fn change(desk: &PageContext, slug: &Slug, form: &Form) -> Result<(), Refused> {
    let mut faults = Faults::default();
    let said = |field| form.has(field).then(|| form.get(field));
    let name = said("name").and_then(|text| faults.take("name", Name::parse(text)));
    let role = said("role").and_then(|text| faults.take("role", text.parse::<Role>()));
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    // A switch may be moved whatever else somebody has changed meanwhile.
    let is_switch = !form.has("name") && !form.has("role");
    let seen = (!is_switch).then(|| Revision::new(form.get("version")));
    let change = |user: &mut User| {
        user.name = name.clone().unwrap_or_else(|| user.name.clone());
        user.role = role.unwrap_or(user.role);
        user.enabled = enabled.unwrap_or(user.enabled);
        Ok(())
    };
    let engine = &desk.app.engine;
    engine
        .change(slug, &desk.actor(), seen.as_ref(), change)
        .await?;
    Ok(())
}

async fn set_password(
    desk: PageContext,
    Named(slug): Named,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageError> {
    let mut faults = Faults::default();
    let Some(hash) = new_password::hash(&form, &mut faults).await else {
        let rejection = Refused::from(faults).form()?;
        return page::show(&desk, &slug, Some((&form, &rejection))).await;
    };
    let change = |user: &mut User| {
        user.password = Some(hash.clone());
        Ok(())
    };
    let engine = &desk.app.engine;
    let user = engine.change(&slug, &desk.actor(), None, change).await?;
    let done = PageContext::go(&url(&slug), Said::PasswordSet);
    if slug != desk.visitor.user.slug {
        return Ok(done);
    }
    // Every session of this user has ended, this one too.
    Ok(with_session(done, &desk.app, &user, &headers).await?)
}

async fn switch(
    desk: PageContext,
    Named(slug): Named,
    referer: Referer,
    form: Form,
) -> Result<Response, PageError> {
    let on = toggle::wanted(&form)?;
    match toggle::turn::<User>(&desk, &slug, &referer, on).await {
        Err(fault) => refuse(&desk, &slug, &form, fault).await,
        switched => Ok(switched?),
    }
}

async fn delete(desk: PageContext, Named(slug): Named, form: Form) -> Result<Response, PageError> {
    match toggle::remove::<User>(&desk, &slug).await {
        Err(fault) => refuse(&desk, &slug, &form, fault).await,
        removed => Ok(removed?),
    }
}

/// The page of a user who must stay.
async fn refuse(
    desk: &PageContext,
    slug: &Slug,
    form: &Form,
    fault: EditError,
) -> Result<Response, PageError> {
    let rejection = Refused::from(fault).form()?;
    page::show(desk, slug, Some((form, &rejection))).await
}
