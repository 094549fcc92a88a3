//! `/admin/contacts/…/endpoints`: where a contact can be told.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{
    Address, ChannelKind, Contact, EditError, Endpoint, EndpointId, Engine, Revision, Slug,
    StoreError,
};
use serde::Serialize;

use crate::admin::contact::list;
use crate::admin::contact::page;
use crate::admin::contact::page::Refusal;
use crate::admin::toggle;
use crate::admin::ui::field::{Choice, Confirm, Field};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Notice, Refused, Rejection, is_once};
use crate::admin::ui::page::{PageContext, Said};
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::path::{Named, NamedEndpoint};
use crate::admin::ui::templates::Section;
use crate::route::{Auth, Permission, Route};

pub(crate) fn routes() -> Vec<Route> {
    let admin = Auth::Session(Permission::Admin);
    let of_contact = "/admin/contacts/{slug}/endpoints";
    let one = "/admin/contacts/{slug}/endpoints/{id}";
    vec![
        Route::new(Method::POST, of_contact, admin, create),
        Route::new(Method::GET, one, admin, page),
        Route::new(Method::POST, one, admin, save),
        Route::new(
            Method::POST,
            "/admin/contacts/{slug}/endpoints/{id}/switch",
            admin,
            switch,
        ),
        Route::new(
            Method::POST,
            "/admin/contacts/{slug}/endpoints/{id}/delete",
            admin,
            delete,
        ),
    ]
}

/// The page of an endpoint.
pub(crate) fn url(contact: &Slug, id: EndpointId) -> String {
    format!("{}/endpoints/{id}", list::url(contact))
}

/// Where an endpoint is written: `{{> partials/endpoint page.endpoint}}`.
#[derive(Serialize)]
pub(crate) struct Fields {
    channel: Field,
    other: Field,
    address: Field,
}

/// What stands for a channel that is not in the list.
const OTHER: &str = "other";
/// The channels that are offered in any case, and how they are called.
const KNOWN: [(&str, &str); 4] = [
    ("sms", "SMS"),
    ("email", "Email"),
    ("webhook", "Webhook"),
    ("x", "X"),
];

impl Fields {
    /// The fields as they were filled in, or as the endpoint is.
    pub(crate) fn new(
        engine: &Engine,
        form: &Form,
        endpoint: Option<&Endpoint>,
        rejection: Option<&Rejection>,
    ) -> Self {
        let error = |field| rejection.and_then(|rejection| rejection.error(field));
        let now = endpoint.map_or("", |endpoint| endpoint.channel.as_str());
        let chosen = channel_in(form).unwrap_or(now);
        let options = channels(engine, chosen);
        let is_offered = options
            .iter()
            .any(|option| option.chosen && option.value != OTHER);
        let other = match (is_offered, chosen) {
            (true, _) | (_, "") => "",
            (_, OTHER) => form.get("other"),
            (_, unlisted) => unlisted,
        };
        let address = endpoint.map(|endpoint| endpoint.address.masked());
        let address = address.as_deref().unwrap_or_default();
        let address = if form.has("address") {
            form.get("address")
        } else {
            address
        };
        Self {
            channel: Field::select("channel", "Channel", options).error(error("channel")),
            other: Field::text("other", "Channel name")
                .value(other)
                .hint("In lower case, as in the gateway configuration.")
                .error(error("other")),
            address: Field::text("address", "Address")
                .value(address)
                .hint(
                    "A phone number with country code (such as +447700900123), an email address, a URL \
                     or a room name.",
                )
                .error(error("address")),
        }
    }
}

/// The channels there are to choose from: those of the gateways, and those that usually are.
fn channels(engine: &Engine, chosen: &str) -> Vec<Choice> {
    let mut options: Vec<Choice> = Vec::new();
    let gateways = engine.gateways();
    let served = gateways.iter().map(|gateway| gateway.channel.kind());
    let served: Vec<_> = served.map(|kind| kind.as_str().to_owned()).collect();
    let usual = KNOWN.iter().map(|(kind, _)| (*kind).to_owned());
    for value in served.into_iter().chain(usual) {
        if options.iter().any(|option| option.value == value) {
            continue;
        }
        let known = KNOWN.iter().find(|(kind, _)| *kind == value);
        options.push(Choice {
            label: known.map_or_else(|| value.clone(), |(_, label)| (*label).into()),
            chosen: value == chosen,
            value,
            detail: None,
        });
    }
    let listed = chosen.is_empty() || options.iter().any(|option| option.chosen);
    options.push(Choice {
        value: OTHER.into(),
        label: "Other…".into(),
        detail: None,
        chosen: !listed,
    });
    options
}

/// What a form says of the channel. Scripts may call it `kind`.
fn channel_in(form: &Form) -> Option<&str> {
    form.given("channel").or_else(|| form.given("kind"))
}

/// The channel and the address that a form says.
pub(crate) fn typed(
    engine: &Engine,
    form: &Form,
    faults: &mut Faults,
) -> Option<(ChannelKind, Address)> {
    let (field, channel) = match channel_in(form) {
        None => {
            faults.add("channel", "choose a channel");
            return None;
        }
        Some(OTHER) => ("other", form.get("other").trim()),
        Some(listed) => ("channel", listed),
    };
    let channel = faults.take(field, ChannelKind::parse(channel))?;
    let address = engine.parse_address(&channel, form.get("address"));
    Some((channel, faults.take("address", address)?))
}

async fn create(desk: PageContext, Named(slug): Named, form: Form) -> Result<Response, PageError> {
    match add(&desk, &slug, &form).await {
        Ok(()) => Ok(PageContext::go(&list::url(&slug), Said::Added)),
        Err(refused) => {
            let refused = Refusal::Endpoint(&form, refused.form()?);
            page::show(&desk, &slug, Some(refused)).await
        }
    }
}

async fn add(desk: &PageContext, slug: &Slug, form: &Form) -> Result<(), Refused> {
    let engine = &desk.app.engine;
    let mut faults = Faults::default();
    let Some((channel, address)) = typed(engine, form, &mut faults) else {
        return Err(faults.into());
    };
    let (id, once) = (EndpointId::new(desk.now()), is_once(form));
    let change = |contact: &mut Contact| {
        let same = |one: &Endpoint| (&one.channel, &one.address) == (&channel, &address);
        if once && contact.endpoints.iter().any(same) {
            return Ok(());
        }
        let more = contact.clone();
        *contact = more.with_endpoint(id, channel.clone(), address.clone());
        Ok(())
    };
    engine.change(slug, &desk.actor(), None, change).await?;
    Ok(())
}

#[derive(Serialize)]
struct Page {
    contact: String,
    back: String,
    action: String,
    version: String,
    notice: Option<Notice>,
    endpoint: Fields,
    message: Field,
    once: String,
    remove: Confirm,
}

async fn page(desk: PageContext, named: NamedEndpoint) -> Result<Response, PageError> {
    show(&desk, &named, &Form::default(), None).await
}

async fn show(
    desk: &PageContext,
    NamedEndpoint { contact: slug, id }: &NamedEndpoint,
    form: &Form,
    rejection: Option<&Rejection>,
) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
    let contact = engine.store().contact(slug).await?;
    let contact = contact.ok_or_else(|| PageError::missing(format!("contact {slug}")))?;
    let found = contact.endpoints.iter().find(|one| one.id == *id);
    let endpoint = found.ok_or_else(gone)?;
    let now = || vec![format!("{} {}", endpoint.channel, endpoint.address)];
    let page = Page {
        contact: contact.name.to_string(),
        back: list::url(slug),
        action: url(slug, *id),
        version: Revision::of(&contact).to_string(),
        notice: rejection.map(|rejection| rejection.notice(now())),
        endpoint: Fields::new(engine, form, Some(endpoint), rejection),
        message: Field::area("message", "Message")
            .hint("Leave empty to send a default test message."),
        once: PageContext::once(),
        remove: removal(slug, endpoint),
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    let title = format!("{} of {}", endpoint.channel, contact.name);
    Ok(desk.page_with(status, "endpoint", Section::Contacts, &title, page))
}

/// The question before an endpoint is removed.
pub(crate) fn removal(contact: &Slug, endpoint: &Endpoint) -> Confirm {
    let (channel, address) = (&endpoint.channel, &endpoint.address);
    Confirm {
        action: format!("{}/delete", url(contact, endpoint.id)),
        ask: "Remove…".into(),
        text: format!("{channel} {address} will receive no more messages, including queued ones."),
        button: "Remove endpoint".into(),
        open: false,
    }
}

pub(crate) fn gone() -> PageError {
    PageError::missing("such endpoint")
}

fn missing() -> EditError {
    let what = "such endpoint".to_owned();
    StoreError::Missing { what }.into()
}

fn place(contact: &Contact, id: EndpointId) -> Result<usize, EditError> {
    let place = contact.endpoints.iter().position(|one| one.id == id);
    place.ok_or_else(missing)
}

async fn save(desk: PageContext, named: NamedEndpoint, form: Form) -> Result<Response, PageError> {
    match change(&desk, &named, &form).await {
        Ok(()) => Ok(PageContext::go(&list::url(&named.contact), Said::Saved)),
        Err(refused) => show(&desk, &named, &form, Some(&refused.form()?)).await,
    }
}

async fn change(desk: &PageContext, named: &NamedEndpoint, form: &Form) -> Result<(), Refused> {
    let engine = &desk.app.engine;
    let seen = Revision::new(form.get("version"));
    let change = |contact: &mut Contact| {
        let place = place(contact, named.id)?;
        let endpoint = &mut contact.endpoints[place];
        let mut faults = Faults::default();
        let is_unchanged = endpoint.address.is_written(form.get("address").trim())
            && channel_in(form).is_none_or(|channel| channel == endpoint.channel.as_str());
        let typed = if is_unchanged {
            Some((endpoint.channel.clone(), endpoint.address.clone()))
        } else if channel_in(form).is_some() {
            typed(engine, form, &mut faults)
        } else {
            let channel = endpoint.channel.clone();
            let address = engine.parse_address(&channel, form.get("address"));
            faults
                .take("address", address)
                .map(|address| (channel, address))
        };
        let Some(typed) = typed else {
            return Err(faults.into());
        };
        if typed != (endpoint.channel.clone(), endpoint.address.clone()) {
            (endpoint.channel, endpoint.address) = typed;
            // Whoever asked for silence did so for another address.
            endpoint.opted_out = None;
        }
        Ok(())
    };
    engine
        .change(&named.contact, &desk.actor(), Some(&seen), change)
        .await?;
    Ok(())
}

async fn switch(
    desk: PageContext,
    NamedEndpoint { contact: slug, id }: NamedEndpoint,
    form: Form,
) -> Result<Response, PageError> {
    let on = toggle::wanted(&form)?;
    let change = |contact: &mut Contact| {
        let place = place(contact, id)?;
        let endpoint = &mut contact.endpoints[place];
        endpoint.enabled = on;
        endpoint.opted_out = None;
        Ok(())
    };
    let engine = &desk.app.engine;
    engine.change(&slug, &desk.actor(), None, change).await?;
    Ok(PageContext::go_switched(
        &list::url(&slug),
        &url(&slug, id),
        on,
    ))
}

async fn delete(
    desk: PageContext,
    NamedEndpoint { contact: slug, id }: NamedEndpoint,
) -> Result<Response, PageError> {
    let change = |contact: &mut Contact| {
        let place = place(contact, id)?;
        contact.endpoints.remove(place);
        Ok(())
    };
    let engine = &desk.app.engine;
    engine.change(&slug, &desk.actor(), None, change).await?;
    Ok(PageContext::go(&list::url(&slug), Said::Removed))
}
