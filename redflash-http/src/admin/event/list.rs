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
use crate::admin::ui::form_error::{Faults, Refused, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{Listing, Turn};
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::path::Named;
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
pub(crate) fn switch_of(event: &Event, desk: &PageContext) -> Switch {
    Switch {
        action: format!("{}/switch", url(&event.slug)),
        label: format!("Event {}", event.name),
        on: event.enabled,
        locked: !desk.is_admin(),
    }
}

#[derive(Serialize)]
struct List {
    search: Field,
    count: usize,
    rows: Vec<Row>,
    turn: Turn,
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

async fn list(desk: PageContext) -> Result<Response, PageError> {
    let events = desk.app.engine.store().events().await?;
    let listing = Listing::of(LIST, &desk.query);
    let found = listing.excerpt(events, |event| &event.slug, texts);
    let row = |event: &Event| Row {
        url: url(&event.slug),
        name: event.name.to_string(),
        slug: event.slug.to_string(),
        contacts: event.contacts.len(),
        groups: event.groups.len(),
        switch: switch_of(event, &desk),
    };
    let new = desk.is_admin().then_some("/admin/new/event");
    let none = Empty {
        title: "No events yet".into(),
        text: "An event has a message template and a list of contacts and groups to notify.".into(),
        action: new.map(|url| Link {
            url: url.into(),
            label: "Add event".into(),
        }),
    };
    let page = List {
        search: listing.field("Name, slug or message"),
        count: found.count,
        rows: found.shown.iter().map(row).collect(),
        turn: found.turn,
        empty: listing.empty(none),
        new,
    };
    Ok(desk.page("events", Section::Events, "Events", page))
}

/// Where a search looks.
fn texts(event: &Event) -> Vec<String> {
    let names = [event.slug.to_string(), event.name.to_string()];
    let words = [event.description.clone(), event.message.clone()];
    names.into_iter().chain(words).collect()
}

async fn blank(desk: PageContext) -> Result<Response, PageError> {
    page::show_new(&desk, &Form::default(), None).await
}

async fn create(desk: PageContext, form: Form) -> Result<Response, PageError> {
    match add(&desk, &form).await {
        Ok(slug) => Ok(PageContext::go(&url(&slug), Said::Added)),
        Err(refused) => page::show_new(&desk, &form, Some(&refused.form()?)).await,
    }
}

async fn add(desk: &PageContext, form: &Form) -> Result<Slug, Refused> {
    let engine = &desk.app.engine;
    let mut faults = Faults::default();
    let draft = Draft::typed(form, None, &mut faults);
    let slug = faults.take("slug", Slug::parse(form.get("slug").trim()));
    let name = draft.name(&mut faults);
    let wrong = page::unsaved(&draft).check_templates();
    faults.extend(wrong);
    let (Some(slug), Some(name), true) = (slug, name, faults.is_empty()) else {
        return Err(faults.into());
    };
    let mut event = Event::new(slug, name, "");
    draft.fill(&mut event);
    match engine.create(&event, &desk.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if is_once(form)
                && engine.store().event(&event.slug).await?.as_ref() == Some(&event) => {}
        made => made?,
    }
    Ok(event.slug)
}

async fn page(desk: PageContext, Named(slug): Named) -> Result<Response, PageError> {
    page::show(&desk, &slug, None, None).await
}

async fn save(desk: PageContext, Named(slug): Named, form: Form) -> Result<Response, PageError> {
    match change(&desk, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&url(&slug), Said::Saved)),
        Err(refused) => {
            let rejection = refused.form()?;
            page::show(&desk, &slug, Some(&form), Some(&rejection)).await
        }
    }
}

async fn change(desk: &PageContext, slug: &Slug, form: &Form) -> Result<(), Refused> {
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let seen = Revision::new(form.get("version"));
    let change = |event: &mut Event| {
        let mut faults = Faults::default();
        let draft = Draft::typed(form, Some(event), &mut faults);
        let (Some(name), true) = (draft.name(&mut faults), faults.is_empty()) else {
            return Err(faults.into());
        };
        draft.fill(event);
        event.name = name;
        event.enabled = enabled.unwrap_or(event.enabled);
        Ok(())
    };
    let engine = &desk.app.engine;
    engine
        .change(slug, &desk.actor(), Some(&seen), change)
        .await?;
    Ok(())
}
