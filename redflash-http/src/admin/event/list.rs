//! `/admin/events`: what happens, in what words it is told, and to whom.

use axum::http::Method;
use axum::response::Response;
use redflash_core::{EditError, Event, Revision, Slug, StoreError};
use serde::Serialize;

use crate::admin::event::form::Draft;
use crate::admin::event::page;
use crate::admin::toggle;
use crate::admin::ui::field::{Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormError, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{ListQuery, PageLinks};
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::path::SlugPath;
use crate::admin::ui::templates::Section;
use crate::route::{Auth, Permission, Route};

pub(crate) const LIST: &str = "/admin/events";

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, LIST, view, list),
        Route::new(Method::POST, LIST, admin, create),
        Route::new(Method::GET, "/admin/new/event", admin, blank),
        Route::new(Method::GET, "/admin/events/{slug}", view, page),
        Route::new(Method::POST, "/admin/events/{slug}", admin, save),
        Route::new(
            Method::POST,
            "/admin/events/{slug}/switch",
            admin,
            toggle::switch::<Event>,
        ),
        Route::new(
            Method::POST,
            "/admin/events/{slug}/delete",
            admin,
            toggle::delete::<Event>,
        ),
    ]
}

/// The page of an event.
pub(crate) fn url(slug: &Slug) -> String {
    format!("{LIST}/{slug}")
}

/// The switch of an event.
pub(crate) fn switch_of(event: &Event, context: &PageContext) -> Switch {
    Switch {
        action: format!("{}/switch", url(&event.slug)),
        label: format!("Event {}", event.name),
        on: event.enabled,
        locked: !context.is_admin(),
    }
}

#[derive(Serialize)]
struct List {
    search: Field,
    count: usize,
    rows: Vec<Row>,
    links: PageLinks,
    empty: Empty,
    new: Option<&'static str>,
}

#[derive(Serialize)]
struct Row {
    url: String,
    name: String,
    slug: String,
    contacts: usize,
    groups: usize,
    switch: Switch,
}

async fn list(context: PageContext) -> Result<Response, PageError> {
    let events = context.app.engine.store().events().await?;
    let list_query = ListQuery::of(LIST, &context.query);
    let found = list_query.page(events, |event| &event.slug, texts);
    let row = |event: &Event| Row {
        url: url(&event.slug),
        name: event.name.to_string(),
        slug: event.slug.to_string(),
        contacts: event.contacts.len(),
        groups: event.groups.len(),
        switch: switch_of(event, &context),
    };
    let new = context.is_admin().then_some("/admin/new/event");
    let none = Empty {
        title: "No events yet".into(),
        text:
            "An event is something that can happen, with the words in which it is told and those \
               who are."
                .into(),
        action: new.map(|url| Link {
            url: url.into(),
            label: "Add an event".into(),
        }),
    };
    let page = List {
        search: list_query.field("Name, slug or words"),
        count: found.count,
        rows: found.shown.iter().map(row).collect(),
        links: found.links,
        empty: list_query.empty(none),
        new,
    };
    Ok(context.page("events", Section::Events, "Events", page))
}

/// Where a search looks.
fn texts(event: &Event) -> Vec<String> {
    let names = [event.slug.to_string(), event.name.to_string()];
    let words = [event.description.clone(), event.message.clone()];
    names.into_iter().chain(words).collect()
}

async fn blank(context: PageContext) -> Result<Response, PageError> {
    page::show_new(&context, &Form::default(), None).await
}

async fn create(context: PageContext, form: Form) -> Result<Response, PageError> {
    match add(&context, &form).await {
        Ok(slug) => Ok(PageContext::go(&url(&slug), Said::Added)),
        Err(refused) => page::show_new(&context, &form, Some(&refused.form()?)).await,
    }
}

async fn add(context: &PageContext, form: &Form) -> Result<Slug, FormError> {
    let engine = &context.app.engine;
    let mut errors = FieldErrors::default();
    let draft = Draft::typed(form, None, &mut errors);
    let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
    let name = draft.name(&mut errors);
    let wrong = page::unsaved(&draft).check_templates();
    errors.extend(wrong);
    let (Some(slug), Some(name), true) = (slug, name, errors.is_empty()) else {
        return Err(errors.into());
    };
    let mut event = Event::new(slug, name, "");
    draft.fill(&mut event);
    match engine.create(&event, &context.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if is_once(form)
                && engine.store().event(&event.slug).await?.as_ref() == Some(&event) => {}
        made => made?,
    }
    Ok(event.slug)
}

async fn page(context: PageContext, SlugPath(slug): SlugPath) -> Result<Response, PageError> {
    page::show(&context, &slug, None, None).await
}

async fn save(
    context: PageContext,
    SlugPath(slug): SlugPath,
    form: Form,
) -> Result<Response, PageError> {
    match change(&context, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&url(&slug), Said::Saved)),
        Err(refused) => {
            let errors = refused.form()?;
            page::show(&context, &slug, Some(&form), Some(&errors)).await
        }
    }
}

async fn change(context: &PageContext, slug: &Slug, form: &Form) -> Result<(), FormError> {
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let seen = Revision::new(form.get("version"));
    let change = |event: &mut Event| {
        let mut errors = FieldErrors::default();
        let draft = Draft::typed(form, Some(event), &mut errors);
        let (Some(name), true) = (draft.name(&mut errors), errors.is_empty()) else {
            return Err(errors.into());
        };
        draft.fill(event);
        event.name = name;
        event.enabled = enabled.unwrap_or(event.enabled);
        Ok(())
    };
    let engine = &context.app.engine;
    engine
        .change(slug, &context.actor(), Some(&seen), change)
        .await?;
    Ok(())
}
