//! `/admin/contacts`: who can be told.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{Contact, EditError, Endpoint, EndpointId, Name, Revision, Slug, StoreError};
use serde::Serialize;

use crate::admin::contact::endpoint;
use crate::admin::contact::page;
use crate::admin::toggle;
use crate::admin::ui::choices;
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

/// The list.
pub(crate) const LIST: &str = "/admin/contacts";

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, LIST, view, list),
        Route::new(Method::POST, LIST, admin, create),
        Route::new(Method::GET, "/admin/new/contact", admin, blank),
        Route::new(Method::GET, "/admin/contacts/{slug}", view, page),
        Route::new(Method::POST, "/admin/contacts/{slug}", admin, save),
        Route::new(
            Method::POST,
            "/admin/contacts/{slug}/switch",
            admin,
            toggle::switch::<Contact>,
        ),
        Route::new(
            Method::POST,
            "/admin/contacts/{slug}/delete",
            admin,
            toggle::delete::<Contact>,
        ),
    ]
}

/// The page of a contact.
pub(crate) fn url(slug: &Slug) -> String {
    format!("{LIST}/{slug}")
}

/// The switch of a contact.
pub(crate) fn switch_of(contact: &Contact, desk: &PageContext) -> Switch {
    Switch {
        action: format!("{}/switch", url(&contact.slug)),
        label: format!("Contact {}", contact.name),
        on: contact.enabled,
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
    /// Where one is added, for those who may.
    new: Option<&'static str>,
}

#[derive(Serialize)]
struct Row {
    url: String,
    name: String,
    slug: String,
    reach: String,
    switch: Switch,
}

async fn list(desk: PageContext) -> Result<Response, PageError> {
    let contacts = desk.app.engine.store().contacts().await?;
    let listing = Listing::of(LIST, &desk.query);
    let found = listing.excerpt(contacts, |contact| &contact.slug, texts);
    let row = |contact: &Contact| Row {
        url: url(&contact.slug),
        name: contact.name.to_string(),
        slug: contact.slug.to_string(),
        reach: choices::reach(contact),
        switch: switch_of(contact, &desk),
    };
    let new = desk.is_admin().then_some("/admin/new/contact");
    let nobody = Empty {
        title: "No contacts yet".into(),
        text: "A contact is a person or system to notify, with one or more endpoints.".into(),
        action: new.map(|url| Link {
            url: url.into(),
            label: "Add contact".into(),
        }),
    };
    let page = List {
        search: listing.field("Name, slug or address"),
        count: found.count,
        rows: found.shown.iter().map(row).collect(),
        turn: found.turn,
        empty: listing.empty(nobody),
        new,
    };
    Ok(desk.page("contacts", Section::Contacts, "Contacts", page))
}

/// Where a search looks.
fn texts(contact: &Contact) -> Vec<String> {
    let addresses = contact.endpoints.iter().map(|one| one.address.to_string());
    let names = [contact.slug.to_string(), contact.name.to_string()];
    names.into_iter().chain(addresses).collect()
}

#[derive(Serialize)]
struct New {
    notice: Option<Notice>,
    once: String,
    name: Field,
    slug: Field,
    endpoint: endpoint::Fields,
}

async fn blank(desk: PageContext) -> Response {
    form(&desk, &Form::default(), None)
}

/// The form of a new contact, as it was filled in.
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
            .hint("Display name, such as Ann Example or Duty phone.")
            .required(),
        slug: slug_field().value(form.get("slug")).error(error("slug")),
        endpoint: endpoint::Fields::new(&desk.app.engine, form, None, rejection),
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    desk.page_with(
        status,
        "contact-new",
        Section::Contacts,
        "New contact",
        page,
    )
}

/// Where the slug of something new is written.
pub(crate) fn slug_field() -> Field {
    Field::text("slug", "Slug")
        .hint("Used in URLs and commands. Letters, digits, - and _. Cannot be changed later.")
        .required()
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
    let place = match form.given("address") {
        Some(_) => endpoint::typed(engine, form, &mut faults),
        None => None,
    };
    let (Some(slug), Some(name), true) = (slug, name, faults.is_empty()) else {
        return Err(faults.into());
    };
    let mut contact = Contact::new(slug, name);
    if let Some((channel, address)) = place {
        contact = contact.with_endpoint(EndpointId::new(desk.now()), channel, address);
    }
    match engine.create(&contact, &desk.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if is_once(form) && is_there(desk, &contact).await? => {}
        made => made?,
    }
    Ok(contact.slug)
}

/// Whether a contact was made already, ids apart.
async fn is_there(desk: &PageContext, wanted: &Contact) -> Result<bool, StoreError> {
    let place = |endpoint: &Endpoint| (endpoint.channel.clone(), endpoint.address.clone());
    let places = |contact: &Contact| contact.endpoints.iter().map(place).collect::<Vec<_>>();
    let found = desk.app.engine.store().contact(&wanted.slug).await?;
    Ok(found.is_some_and(|found| found.name == wanted.name && places(&found) == places(wanted)))
}

async fn page(desk: PageContext, Named(slug): Named) -> Result<Response, PageError> {
    page::show(&desk, &slug, None).await
}

async fn save(desk: PageContext, Named(slug): Named, form: Form) -> Result<Response, PageError> {
    match rename(&desk, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&url(&slug), Said::Saved)),
        Err(refused) => {
            let refused = page::Refusal::Name(&form, refused.form()?);
            page::show(&desk, &slug, Some(refused)).await
        }
    }
}

async fn rename(desk: &PageContext, slug: &Slug, form: &Form) -> Result<(), Refused> {
    let mut faults = Faults::default();
    let Some(name) = faults.take("name", Name::parse(form.get("name"))) else {
        return Err(faults.into());
    };
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let seen = Revision::new(form.get("version"));
    let change = |contact: &mut Contact| {
        contact.name = name.clone();
        contact.enabled = enabled.unwrap_or(contact.enabled);
        Ok(())
    };
    let engine = &desk.app.engine;
    engine
        .change(slug, &desk.actor(), Some(&seen), change)
        .await?;
    Ok(())
}
