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
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors, Notice, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::{ListQuery, PageLinks};
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::path::SlugPath;
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
pub(crate) fn switch_of(contact: &Contact, context: &PageContext) -> Switch {
    Switch {
        action: format!("{}/switch", url(&contact.slug)),
        label: format!("Contact {}", contact.name),
        on: contact.enabled,
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

async fn list(context: PageContext) -> Result<Response, PageError> {
    let contacts = context.app.engine.store().contacts().await?;
    let list_query = ListQuery::of(LIST, &context.query);
    let found = list_query.page(contacts, |contact| &contact.slug, texts);
    let row = |contact: &Contact| Row {
        url: url(&contact.slug),
        name: contact.name.to_string(),
        slug: contact.slug.to_string(),
        reach: choices::reach(contact),
        switch: switch_of(contact, &context),
    };
    let new = context.is_admin().then_some("/admin/new/contact");
    let nobody = Empty {
        title: "No contacts yet".into(),
        text: "A contact is a person or a system that can be told, with the addresses where."
            .into(),
        action: new.map(|url| Link {
            url: url.into(),
            label: "Add a contact".into(),
        }),
    };
    let page = List {
        search: list_query.field("Name, slug or address"),
        count: found.count,
        rows: found.shown.iter().map(row).collect(),
        links: found.links,
        empty: list_query.empty(nobody),
        new,
    };
    Ok(context.page("contacts", Section::Contacts, "Contacts", page))
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

async fn blank(context: PageContext) -> Response {
    form(&context, &Form::default(), None)
}

/// The form of a new contact, as it was filled in.
fn form(context: &PageContext, form: &Form, errors: Option<&FormErrors>) -> Response {
    let error = |field| errors.and_then(|errors| errors.error(field));
    let page = New {
        notice: errors.map(|errors| errors.notice(Vec::new())),
        once: form
            .given("once")
            .map_or_else(PageContext::once, str::to_owned),
        name: Field::text("name", "Name")
            .value(form.get("name"))
            .error(error("name"))
            .hint("As people call it, such as Ann Example or Duty phone.")
            .required(),
        slug: slug_field().value(form.get("slug")).error(error("slug")),
        endpoint: endpoint::Fields::new(&context.app.engine, form, None, errors),
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    context.page_with(
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
        .hint(
            "Its name in URLs and commands: letters, digits, - and _. It cannot be changed later.",
        )
        .required()
}

async fn create(context: PageContext, form: Form) -> Result<Response, PageError> {
    match add(&context, &form).await {
        Ok(slug) => Ok(PageContext::go(&url(&slug), Said::Added)),
        Err(refused) => Ok(self::form(&context, &form, Some(&refused.form()?))),
    }
}

async fn add(context: &PageContext, form: &Form) -> Result<Slug, FormError> {
    let engine = &context.app.engine;
    let mut errors = FieldErrors::default();
    let slug = errors.take("slug", Slug::parse(form.get("slug").trim()));
    let name = errors.take("name", Name::parse(form.get("name")));
    let place = match form.given("address") {
        Some(_) => endpoint::typed(engine, form, &mut errors),
        None => None,
    };
    let (Some(slug), Some(name), true) = (slug, name, errors.is_empty()) else {
        return Err(errors.into());
    };
    let mut contact = Contact::new(slug, name);
    if let Some((channel, address)) = place {
        contact = contact.with_endpoint(EndpointId::new(context.now()), channel, address);
    }
    match engine.create(&contact, &context.actor()).await {
        Err(EditError::Store(StoreError::Conflict { .. }))
            if is_once(form) && is_there(context, &contact).await? => {}
        made => made?,
    }
    Ok(contact.slug)
}

/// Whether a contact was made already, ids apart.
async fn is_there(context: &PageContext, wanted: &Contact) -> Result<bool, StoreError> {
    let place = |endpoint: &Endpoint| (endpoint.channel.clone(), endpoint.address.clone());
    let places = |contact: &Contact| contact.endpoints.iter().map(place).collect::<Vec<_>>();
    let found = context.app.engine.store().contact(&wanted.slug).await?;
    Ok(found.is_some_and(|found| found.name == wanted.name && places(&found) == places(wanted)))
}

async fn page(context: PageContext, SlugPath(slug): SlugPath) -> Result<Response, PageError> {
    page::show(&context, &slug, None).await
}

async fn save(
    context: PageContext,
    SlugPath(slug): SlugPath,
    form: Form,
) -> Result<Response, PageError> {
    match rename(&context, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&url(&slug), Said::Saved)),
        Err(refused) => {
            let refused = page::Refusal::Name(&form, refused.form()?);
            page::show(&context, &slug, Some(refused)).await
        }
    }
}

async fn rename(context: &PageContext, slug: &Slug, form: &Form) -> Result<(), FormError> {
    let mut errors = FieldErrors::default();
    let Some(name) = errors.take("name", Name::parse(form.get("name"))) else {
        return Err(errors.into());
    };
    let enabled = form.has("enabled").then(|| form.is_on("enabled"));
    let seen = Revision::new(form.get("version"));
    let change = |contact: &mut Contact| {
        contact.name = name.clone();
        contact.enabled = enabled.unwrap_or(contact.enabled);
        Ok(())
    };
    let engine = &context.app.engine;
    engine
        .change(slug, &context.actor(), Some(&seen), change)
        .await?;
    Ok(())
}
