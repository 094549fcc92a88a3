//! The page of a contact: endpoints, references and recent alerts.

use axum::http::StatusCode;
use axum::response::Response;
use redflash_core::Engine;
use redflash_core::engine::Revision;
use redflash_core::model::{Contact, Endpoint, Event, Group, Slug};
use redflash_core::store::StoreError;
use serde::Serialize;

use crate::admin::contact::endpoint_form;
use crate::admin::contact::endpoint_form::EndpointFields;
use crate::admin::crud;
use crate::admin::log::history;
use crate::admin::log::history::RecentNotification;
use crate::admin::ui::choices;
use crate::admin::ui::choices::Reference;
use crate::admin::ui::field::{Confirm, Field, Switch};
use crate::admin::ui::form::{Form, once_token};
use crate::admin::ui::form_error::{FormErrors, Notice, sentence};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;
use crate::admin::urls;

/// A rejected form of the page, with its errors.
#[derive(Clone, Copy)]
pub(crate) enum RejectedForm<'a> {
    Name(&'a Form, &'a FormErrors),
    Endpoint(&'a Form, &'a FormErrors),
}

#[derive(Serialize)]
struct Page {
    name: String,
    slug: String,
    enabled: bool,
    switch: Switch,
    notice: Option<Notice>,
    endpoints: Vec<Row>,
    references: Vec<Reference>,
    recent: Vec<RecentNotification>,
    log: String,
    audit: String,
    /// For admins only.
    edit: Option<Edit>,
}

#[derive(Serialize)]
struct Row {
    channel: String,
    address: String,
    switch: Switch,
    /// Reason for an opt-out by the recipient.
    opted_out: Option<String>,
    /// Reason why no gateway serves the address.
    unserved: Option<String>,
    edit: Option<RowEdit>,
}

#[derive(Serialize)]
struct RowEdit {
    url: String,
    /// True if a test message would go out.
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
    endpoint: EndpointFields,
    remove: Confirm,
}

/// Shows a contact.
pub(crate) async fn show(
    context: &PageContext,
    slug: &Slug,
    rejected: Option<RejectedForm<'_>>,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let contact = engine.store().contact(slug).await?;
    let contact = contact.ok_or_else(|| PageError::missing(format!("contact {slug}")))?;
    let references = references(engine, slug).await?;
    let errors = match rejected {
        Some(RejectedForm::Name(_, errors) | RejectedForm::Endpoint(_, errors)) => Some(errors),
        None => None,
    };
    let now = || vec![format!("Name: {}", contact.name), state(&contact)];
    let edit = context.is_admin();
    let page = Page {
        name: contact.name.to_string(),
        slug: slug.to_string(),
        enabled: contact.enabled,
        switch: crud::switch(&contact, context),
        notice: errors.map(|errors| errors.notice(now())),
        endpoints: contact
            .endpoints
            .iter()
            .map(|one| row(context, &contact, one))
            .collect(),
        edit: edit.then(|| Edit::new(engine, &contact, &references, rejected)),
        references,
        recent: history::of_contact(engine, slug).await?,
        log: format!("/admin/log?contact={slug}"),
        audit: format!("/admin/audit?subject=contact/{slug}"),
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    let title = contact.name.as_str();
    Ok(context.page_with(status, "contact", Section::Contacts, title, page))
}

fn state(contact: &Contact) -> String {
    let switch = if contact.enabled { "on" } else { "off" };
    match contact.endpoints.len() {
        1 => format!("Switched {switch}, 1 endpoint"),
        count => format!("Switched {switch}, {count} endpoints"),
    }
}

fn row(context: &PageContext, contact: &Contact, endpoint: &Endpoint) -> Row {
    let engine = &context.app.engine;
    let (channel, address) = (&endpoint.channel, &endpoint.address);
    let unserved = if engine.gateways().lane(channel, address).is_some() {
        None
    } else if let Some(warning) = engine.channel_warning(channel) {
        Some(sentence(&warning))
    } else {
        Some(format!("No {channel} gateway accepts this address."))
    };
    let url = urls::endpoint(&contact.slug, endpoint.id);
    Row {
        channel: channel.to_string(),
        address: address.to_string(),
        switch: Switch {
            action: format!("{url}/switch"),
            label: format!("{channel} {address}"),
            on: endpoint.enabled,
            locked: !context.is_admin(),
        },
        opted_out: endpoint.opted_out.clone(),
        edit: context.is_admin().then(|| RowEdit {
            can_test: contact.enabled && endpoint.enabled && unserved.is_none(),
            once: once_token(),
            remove: endpoint_form::removal(&contact.slug, endpoint),
            url,
        }),
        unserved,
    }
}

impl Edit {
    fn new(
        engine: &Engine,
        contact: &Contact,
        references: &[Reference],
        rejected: Option<RejectedForm<'_>>,
    ) -> Self {
        let url = urls::contact(&contact.slug);
        let nothing = Form::default();
        let (renamed, added) = match rejected {
            Some(RejectedForm::Name(form, errors)) => (Some((form, errors)), None),
            Some(RejectedForm::Endpoint(form, errors)) => (None, Some((form, errors))),
            None => (None, None),
        };
        let (name, error) = match renamed {
            Some((form, errors)) => (form.get("name"), errors.error("name")),
            None => (contact.name.as_str(), None),
        };
        let (typed, errors) = added.map_or((&nothing, None), |(form, why)| (form, Some(why)));
        Self {
            send: format!("/admin/send?target=contact/{}", contact.slug),
            action: url.clone(),
            name: Field::text("name", "Name")
                .value(name)
                .error(error)
                .required(),
            version: Revision::of(contact).to_string(),
            add: format!("{url}/endpoints"),
            once: typed.once(),
            endpoint: EndpointFields::new(engine, typed, None, errors),
            remove: removal(contact, references),
        }
    }
}

fn removal(contact: &Contact, references: &[Reference]) -> Confirm {
    let text = choices::removal_impact(references.iter());
    Confirm {
        action: format!("{}/delete", urls::contact(&contact.slug)),
        ask: "Remove contact…".into(),
        text: format!("{text} Past alerts remain in the log."),
        button: format!("Remove {}", contact.name),
        open: false,
    }
}

/// Returns the groups and events that include a contact.
async fn references(engine: &Engine, slug: &Slug) -> Result<Vec<Reference>, StoreError> {
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
        (direct || !via.is_empty()).then(|| Reference {
            via: (!direct).then(|| via.join(", ")),
            ..Reference::event(event)
        })
    };
    let in_events = events.iter().filter_map(in_event);
    Ok(groups
        .iter()
        .map(|group| Reference::group(group))
        .chain(in_events)
        .collect())
}
