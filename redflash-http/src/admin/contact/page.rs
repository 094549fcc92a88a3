//! The page of one contact: its endpoints, where it is named, what it was told.

use axum::http::StatusCode;
use axum::response::Response;
use redflash_core::{Contact, Endpoint, Engine, Event, Group, Revision, Slug, StoreError};
use serde::Serialize;

use crate::admin::contact::endpoint;
use crate::admin::contact::list::{switch_of, url};
use crate::admin::log::history;
use crate::admin::log::history::Sent;
use crate::admin::ui::choices;
use crate::admin::ui::choices::Naming;
use crate::admin::ui::field::{Confirm, Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Notice, Rejection, sentence};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;

/// What the page is shown again for: the form that was sent, and what was wrong with it.
pub(crate) enum Refusal<'a> {
    Name(&'a Form, Rejection),
    Endpoint(&'a Form, Rejection),
}

#[derive(Serialize)]
struct Page {
    name: String,
    slug: String,
    enabled: bool,
    switch: Switch,
    notice: Option<Notice>,
    endpoints: Vec<Row>,
    naming: Vec<Naming>,
    recent: Vec<Sent>,
    log: String,
    audit: String,
    /// What only an admin has.
    edit: Option<Edit>,
}

#[derive(Serialize)]
struct Row {
    channel: String,
    address: String,
    switch: Switch,
    /// Why the person at the other end had it switched off.
    opted_out: Option<String>,
    /// Why nothing can be sent there now.
    unserved: Option<String>,
    edit: Option<RowEdit>,
}

#[derive(Serialize)]
struct RowEdit {
    url: String,
    /// Whether a test would go out.
    can_test: bool,
    once: String,
    remove: Confirm,
}

#[derive(Serialize)]
struct Edit {
    send: String,
    action: String,
    name: Field,
    version: String,
    add: String,
    once: String,
    endpoint: endpoint::Fields,
    remove: Confirm,
}

/// Shows a contact.
pub(crate) async fn show(
    desk: &PageContext,
    slug: &Slug,
    refusal: Option<Refusal<'_>>,
) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
    let contact = engine.store().contact(slug).await?;
    let contact = contact.ok_or_else(|| PageError::missing(format!("contact {slug}")))?;
    let naming = naming(engine, slug).await?;
    let rejection = match &refusal {
        Some(Refusal::Name(_, rejection) | Refusal::Endpoint(_, rejection)) => Some(rejection),
        None => None,
    };
    let now = || vec![format!("Name: {}", contact.name), state(&contact)];
    let edit = desk.is_admin();
    let page = Page {
        name: contact.name.to_string(),
        slug: slug.to_string(),
        enabled: contact.enabled,
        switch: switch_of(&contact, desk),
        notice: rejection.map(|rejection| rejection.notice(now())),
        endpoints: contact
            .endpoints
            .iter()
            .map(|one| row(desk, &contact, one))
            .collect(),
        edit: edit.then(|| Edit::new(engine, &contact, &naming, refusal.as_ref())),
        naming,
        recent: history::of_contact(engine, slug).await?,
        log: format!("/admin/log?contact={slug}"),
        audit: format!("/admin/audit?subject=contact/{slug}"),
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    let title = contact.name.as_str();
    Ok(desk.page_with(status, "contact", Section::Contacts, title, page))
}

fn state(contact: &Contact) -> String {
    let switch = if contact.enabled { "on" } else { "off" };
    match contact.endpoints.len() {
        1 => format!("Switched {switch}, 1 endpoint"),
        count => format!("Switched {switch}, {count} endpoints"),
    }
}

fn row(desk: &PageContext, contact: &Contact, endpoint: &Endpoint) -> Row {
    let engine = &desk.app.engine;
    let (channel, address) = (&endpoint.channel, &endpoint.address);
    let unserved = if engine.gateways().lane(channel, address).is_some() {
        None
    } else if let Some(warning) = engine.channel_warning(channel) {
        Some(sentence(&warning))
    } else {
        Some(format!("No {channel} gateway accepts this address."))
    };
    let url = endpoint::url(&contact.slug, endpoint.id);
    Row {
        channel: channel.to_string(),
        address: address.to_string(),
        switch: Switch {
            action: format!("{url}/switch"),
            label: format!("{channel} {address}"),
            on: endpoint.enabled,
            locked: !desk.is_admin(),
        },
        opted_out: endpoint.opted_out.clone(),
        edit: desk.is_admin().then(|| RowEdit {
            can_test: contact.enabled && endpoint.enabled && unserved.is_none(),
            once: PageContext::once(),
            remove: endpoint::removal(&contact.slug, endpoint),
            url,
        }),
        unserved,
    }
}

impl Edit {
    fn new(
        engine: &Engine,
        contact: &Contact,
        naming: &[Naming],
        refusal: Option<&Refusal<'_>>,
    ) -> Self {
        let url = url(&contact.slug);
        let nothing = Form::default();
        let (renamed, added) = match refusal {
            Some(Refusal::Name(form, rejection)) => (Some((*form, rejection)), None),
            Some(Refusal::Endpoint(form, rejection)) => (None, Some((*form, rejection))),
            None => (None, None),
        };
        let (name, error) = match renamed {
            Some((form, rejection)) => (form.get("name"), rejection.error("name")),
            None => (contact.name.as_str(), None),
        };
        let (typed, rejection) = added.map_or((&nothing, None), |(form, why)| (form, Some(why)));
        Self {
            send: format!("/admin/send?target=contact/{}", contact.slug),
            action: url.clone(),
            name: Field::text("name", "Name")
                .value(name)
                .error(error)
                .required(),
            version: Revision::of(contact).to_string(),
            add: format!("{url}/endpoints"),
            once: typed
                .given("once")
                .map_or_else(PageContext::once, str::to_owned),
            endpoint: endpoint::Fields::new(engine, typed, None, rejection),
            remove: removal(contact, naming),
        }
    }
}

fn removal(contact: &Contact, naming: &[Naming]) -> Confirm {
    let text = choices::losses(naming.iter());
    Confirm {
        action: format!("{}/delete", url(&contact.slug)),
        ask: "Remove contact…".into(),
        text: format!("{text} Past alerts remain in the log."),
        button: format!("Remove {}", contact.name),
        open: false,
    }
}

/// The groups and the events that name a contact.
async fn naming(engine: &Engine, slug: &Slug) -> Result<Vec<Naming>, StoreError> {
    let groups = engine.store().groups().await?;
    let events = engine.store().events().await?;
    let within = |group: &&Group| group.contacts.contains(slug);
    let groups: Vec<&Group> = groups.iter().filter(within).collect();
    let in_event = |event: &Event| {
        let via = groups
            .iter()
            .filter(|group| event.groups.contains(&group.slug));
        let via: Vec<_> = via.map(|group| group.name.to_string()).collect();
        let direct = event.contacts.contains(slug);
        (direct || !via.is_empty()).then(|| Naming {
            via: (!direct).then(|| via.join(", ")),
            ..Naming::event(event)
        })
    };
    let in_events = events.iter().filter_map(in_event);
    Ok(groups
        .iter()
        .map(|group| Naming::group(group))
        .chain(in_events)
        .collect())
}
