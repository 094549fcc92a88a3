//! `/admin/keys`: what systems raise alerts with.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{ApiKey, EditError, Revision, Scope, Slug, StoreError, Target, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::admin::contact::list::slug_field;
use crate::admin::key::page;
use crate::admin::key::permissions;
use crate::admin::key::permissions::Permissions;
use crate::admin::toggle;
use crate::admin::ui::field::{Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors, Notice, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{ListQuery, PageLinks};
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::path::SlugPath;
use crate::admin::ui::templates::Section;
use crate::route::{Auth, Permission, Route};

pub(crate) const LIST: &str = "/admin/keys";

pub(crate) fn routes() -> Vec<Route> {
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, LIST, admin, list),
        Route::new(Method::POST, LIST, admin, create),
        Route::new(Method::GET, "/admin/new/key", admin, blank),
        Route::new(Method::GET, "/admin/keys/{slug}", admin, page),
        Route::new(Method::POST, "/admin/keys/{slug}", admin, save),
        Route::new(
            Method::POST,
            "/admin/keys/{slug}/switch",
            admin,
            toggle::switch::<ApiKey>,
        ),
        Route::new(
            Method::POST,
            "/admin/keys/{slug}/delete",
            admin,
            toggle::delete::<ApiKey>,
        ),
    ]
}

/// The page of a key.
pub(crate) fn url(slug: &Slug) -> String {
    format!("{LIST}/{slug}")
}

/// The switch of a key.
pub(crate) fn switch_of(key: &ApiKey) -> Switch {
    Switch {
        action: format!("{}/switch", url(&key.slug)),
        label: format!("Key {}", key.slug),
        on: key.enabled,
        locked: false,
    }
}

#[derive(Serialize)]
struct List {
    search: Field,
    count: usize,
    rows: Vec<Row>,
    links: PageLinks,
    empty: Empty,
}

#[derive(Serialize)]
struct Row {
    url: String,
    slug: String,
    hint: String,
    permissions: String,
    used_at: Option<Timestamp>,
    switch: Switch,
}

async fn list(context: PageContext) -> Result<Response, PageError> {
    let store = context.app.engine.store();
    let (keys, uses) = (store.api_keys().await?, store.key_uses().await?);
    let list_query = ListQuery::of(LIST, &context.query);
    let texts = |key: &ApiKey| vec![key.slug.to_string(), key.hint.clone()];
    let found = list_query.page(keys, |key| &key.slug, texts);
    let page = List {
        search: list_query.field("Slug or hint"),
        count: found.count,
        rows: found.shown.iter().map(|key| row(key, &uses)).collect(),
        links: found.links,
        empty: list_query.empty(Empty {
            title: "No keys yet".into(),
            text: "A key is what a system raises alerts with. Give each system its own.".into(),
            action: Some(Link {
                url: "/admin/new/key".into(),
                label: "Make a key".into(),
            }),
        }),
    };
    Ok(context.page("keys", Section::Keys, "Keys", page))
}

fn row(key: &ApiKey, uses: &BTreeMap<Slug, Timestamp>) -> Row {
    Row {
        url: url(&key.slug),
        slug: key.slug.to_string(),
        hint: key.hint.clone(),
        permissions: permissions::summary(key),
        used_at: uses.get(&key.slug).copied(),
        switch: switch_of(key),
    }
}

#[derive(Serialize)]
struct New {
    notice: Option<Notice>,
    once: String,
    slug: Field,
    permissions: permissions::Fields,
}

async fn blank(context: PageContext) -> Result<Response, PageError> {
    form(&context, &Form::default(), None).await
}

/// The form of a new key, as it was filled in.
async fn form(
    context: &PageContext,
    form: &Form,
    errors: Option<&FormErrors>,
) -> Result<Response, PageError> {
    let error = |field| errors.and_then(|errors| errors.error(field));
    let permissions = Permissions::typed(form, &mut FieldErrors::default());
    let page = New {
        notice: errors.map(|errors| errors.notice(Vec::new())),
        once: form
            .given("once")
            .map_or_else(PageContext::once, str::to_owned),
        slug: slug_field()
            .hint("The system that has it, such as nagios. It cannot be changed later.")
            .value(form.get("slug"))
            .error(error("slug")),
        permissions: permissions::Fields::new(&context.app.engine, &permissions, errors).await?,
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    Ok(context.page_with(status, "key-new", Section::Keys, "New key", page))
}

/// A key that was just made: the only page that shows its secret.
#[derive(Serialize)]
struct Made<'a> {
    slug: &'a str,
    secret: &'a str,
    url: String,
    /// What it may raise, to show how.
    target: String,
}

async fn create(context: PageContext, form: Form) -> Result<Response, PageError> {
    match add(&context, &form).await {
        Ok((key, Some(secret))) => Ok(made(&context, &key, &secret)),
        // The form came twice, and the secret was shown the first time.
        Ok((key, None)) => Ok(PageContext::go(&url(&key.slug), Said::Added)),
        Err(refused) => self::form(&context, &form, Some(&refused.form()?)).await,
    }
}

fn made(context: &PageContext, key: &ApiKey, secret: &SecretString) -> Response {
    let first = match &key.scope {
        Scope::Only(targets) => targets.first().map(Target::to_string),
        Scope::All => None,
    };
    let page = Made {
        slug: key.slug.as_str(),
        secret: secret.expose_secret(),
        url: url(&key.slug),
        target: first.unwrap_or_else(|| "contact/SLUG".into()),
    };
    let title = format!("Key {}", key.slug);
    context.page("key-made", Section::Keys, &title, page)
}

/// Makes a key. Returns its secret, unless it was made before by the same form.
async fn add(
    context: &PageContext,
    form: &Form,
) -> Result<(ApiKey, Option<SecretString>), FormError> {
    let engine = &context.app.engine;
    let mut errors = FieldErrors::default();
    let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
    let permissions = Permissions::typed(form, &mut errors);
    let (Some(slug), true) = (slug, errors.is_empty()) else {
        return Err(errors.into());
    };
    let (mut key, secret) = ApiKey::generate(slug, false, Scope::All, context.now());
    permissions.apply_to(&mut key);
    match engine.create(&key, &context.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if is_once(form) && is_there(context, &key).await? =>
        {
            return Ok((key, None));
        }
        made => made?,
    }
    Ok((key, Some(secret)))
}

/// Whether a key was made already, its secret and the time apart.
async fn is_there(context: &PageContext, wanted: &ApiKey) -> Result<bool, StoreError> {
    let found = context.app.engine.store().api_key(&wanted.slug).await?;
    let permissions = |key: &ApiKey| (key.enabled, key.inspect, key.admin, key.scope.clone());
    Ok(found.is_some_and(|found| permissions(&found) == permissions(wanted)))
}

async fn page(context: PageContext, SlugPath(slug): SlugPath) -> Result<Response, PageError> {
    page::show(&context, &slug, None).await
}

async fn save(
    context: PageContext,
    SlugPath(slug): SlugPath,
    form: Form,
) -> Result<Response, PageError> {
    match change(&context, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&url(&slug), Said::Saved)),
        Err(refused) => page::show(&context, &slug, Some((&form, &refused.form()?))).await,
    }
}

async fn change(context: &PageContext, slug: &Slug, form: &Form) -> Result<(), FormError> {
    let mut errors = FieldErrors::default();
    let permissions = Permissions::typed(form, &mut errors);
    if !errors.is_empty() {
        return Err(errors.into());
    }
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let seen = Revision::new(form.get("version"));
    let change = |key: &mut ApiKey| {
        permissions.apply_to(key);
        key.enabled = enabled.unwrap_or(key.enabled);
        Ok(())
    };
    let engine = &context.app.engine;
    engine
        .change(slug, &context.actor(), Some(&seen), change)
        .await?;
    Ok(())
}
