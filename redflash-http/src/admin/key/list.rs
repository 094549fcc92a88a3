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
use crate::admin::key::permissions::Rights;
use crate::admin::toggle;
use crate::admin::ui::field::{Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Notice, Refused, Rejection, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{Listing, Turn};
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::path::Named;
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
        label: format!("API key {}", key.slug),
        on: key.enabled,
        locked: false,
    }
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
    slug: String,
    hint: String,
    rights: String,
    used_at: Option<Timestamp>,
    switch: Switch,
}

async fn list(desk: PageContext) -> Result<Response, PageError> {
    let store = desk.app.engine.store();
    let (keys, uses) = (store.api_keys().await?, store.key_uses().await?);
    let listing = Listing::of(LIST, &desk.query);
    let texts = |key: &ApiKey| vec![key.slug.to_string(), key.hint.clone()];
    let found = listing.excerpt(keys, |key| &key.slug, texts);
    let page = List {
        search: listing.field("Slug or hint"),
        count: found.count,
        rows: found.shown.iter().map(|key| row(key, &uses)).collect(),
        turn: found.turn,
        empty: listing.empty(Empty {
            title: "No API keys yet".into(),
            text: "Systems use API keys to raise alerts. Create one for each system.".into(),
            action: Some(Link {
                url: "/admin/new/key".into(),
                label: "Create API key".into(),
            }),
        }),
    };
    Ok(desk.page("keys", Section::Keys, "API keys", page))
}

fn row(key: &ApiKey, uses: &BTreeMap<Slug, Timestamp>) -> Row {
    Row {
        url: url(&key.slug),
        slug: key.slug.to_string(),
        hint: key.hint.clone(),
        rights: permissions::words(key),
        used_at: uses.get(&key.slug).copied(),
        switch: switch_of(key),
    }
}

#[derive(Serialize)]
struct New {
    notice: Option<Notice>,
    once: String,
    slug: Field,
    rights: permissions::Fields,
}

async fn blank(desk: PageContext) -> Result<Response, PageError> {
    form(&desk, &Form::default(), None).await
}

/// The form of a new key, as it was filled in.
async fn form(
    desk: &PageContext,
    form: &Form,
    rejection: Option<&Rejection>,
) -> Result<Response, PageError> {
    let error = |field| rejection.and_then(|rejection| rejection.error(field));
    let rights = Rights::typed(form, &mut Faults::default());
    let page = New {
        notice: rejection.map(|rejection| rejection.notice(Vec::new())),
        once: form
            .given("once")
            .map_or_else(PageContext::once, str::to_owned),
        slug: slug_field()
            .hint("The system that uses the API key, such as nagios. Cannot be changed later.")
            .value(form.get("slug"))
            .error(error("slug")),
        rights: permissions::Fields::new(&desk.app.engine, &rights, rejection).await?,
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    Ok(desk.page_with(status, "key-new", Section::Keys, "New API key", page))
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

async fn create(desk: PageContext, form: Form) -> Result<Response, PageError> {
    match add(&desk, &form).await {
        Ok((key, Some(secret))) => Ok(made(&desk, &key, &secret)),
        // The form came twice, and the secret was shown the first time.
        Ok((key, None)) => Ok(PageContext::go(&url(&key.slug), Said::Added)),
        Err(refused) => self::form(&desk, &form, Some(&refused.form()?)).await,
    }
}

fn made(desk: &PageContext, key: &ApiKey, secret: &SecretString) -> Response {
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
    let title = format!("API key {}", key.slug);
    desk.page("key-made", Section::Keys, &title, page)
}

/// Makes a key. Returns its secret, unless it was made before by the same form.
async fn add(desk: &PageContext, form: &Form) -> Result<(ApiKey, Option<SecretString>), Refused> {
    let engine = &desk.app.engine;
    let mut faults = Faults::default();
    let slug = faults.take("slug", Slug::parse(form.get("slug").trim()));
    let rights = Rights::typed(form, &mut faults);
    let (Some(slug), true) = (slug, faults.is_empty()) else {
        return Err(faults.into());
    };
    let (mut key, secret) = ApiKey::generate(slug, false, Scope::All, desk.now());
    rights.give(&mut key);
    match engine.create(&key, &desk.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if is_once(form) && is_there(desk, &key).await? =>
        {
            return Ok((key, None));
        }
        made => made?,
    }
    Ok((key, Some(secret)))
}

/// Whether a key was made already, its secret and the time apart.
async fn is_there(desk: &PageContext, wanted: &ApiKey) -> Result<bool, StoreError> {
    let found = desk.app.engine.store().api_key(&wanted.slug).await?;
    let rights = |key: &ApiKey| (key.enabled, key.inspect, key.admin, key.scope.clone());
    Ok(found.is_some_and(|found| rights(&found) == rights(wanted)))
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

async fn change(desk: &PageContext, slug: &Slug, form: &Form) -> Result<(), Refused> {
    let mut faults = Faults::default();
    let rights = Rights::typed(form, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let seen = Revision::new(form.get("version"));
    let change = |key: &mut ApiKey| {
        rights.give(key);
        key.enabled = enabled.unwrap_or(key.enabled);
        Ok(())
    };
    let engine = &desk.app.engine;
    engine
        .change(slug, &desk.actor(), Some(&seen), change)
        .await?;
    Ok(())
}
