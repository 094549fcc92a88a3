//! The page of one event, and the form of a new one, each beside what it would do.

use axum::http::StatusCode;
use axum::response::Response;
use redflash_core::{Event, Revision, Slug, Target};
use serde::Serialize;

use crate::admin::contact::list::slug_field;
use crate::admin::event::form;
use crate::admin::event::form::{Draft, Fields};
use crate::admin::event::list::{switch_of, url};
use crate::admin::event::preview;
use crate::admin::event::preview::Preview;
use crate::admin::event::samples::Samples;
use crate::admin::log::history;
use crate::admin::log::history::Sent;
use crate::admin::ui::choices::Naming;
use crate::admin::ui::field::{Confirm, Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Notice, Rejection};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;

#[derive(Serialize)]
struct New {
    notice: Option<Notice>,
    once: String,
    slug: Field,
    fields: Fields,
    samples: Samples,
    try_url: &'static str,
    preview: Preview,
}

#[derive(Serialize)]
struct Page {
    name: String,
    slug: String,
    enabled: bool,
    switch: Switch,
    notice: Option<Notice>,
    samples: Samples,
    try_url: &'static str,
    preview: Preview,
    recent: Vec<Sent>,
    log: String,
    audit: String,
    edit: Option<Edit>,
    /// What whoever may not change it reads.
    facts: Facts,
}

#[derive(Serialize)]
struct Edit {
    send: String,
    action: String,
    version: String,
    fields: Fields,
    remove: Confirm,
}

#[derive(Serialize)]
struct Facts {
    description: String,
    subject: Option<String>,
    message: String,
    sender: Option<String>,
    missing_arguments: &'static str,
    told: Vec<Naming>,
}

/// Shows the form of a new event, as it was filled in.
pub(crate) async fn show_new(
    desk: &PageContext,
    form: &Form,
    rejection: Option<&Rejection>,
) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
    let draft = Draft::typed(form, None, &mut Faults::default());
    let event = unsaved(&draft);
    let samples = Samples::of(&event, form);
    let contacts = engine.store().contacts().await?;
    let groups = engine.store().groups().await?;
    let error = |field| rejection.and_then(|rejection| rejection.error(field));
    let page = New {
        notice: rejection.map(|rejection| rejection.notice(Vec::new())),
        once: form
            .given("once")
            .map_or_else(PageContext::once, str::to_owned),
        slug: slug_field().value(form.get("slug")).error(error("slug")),
        fields: draft.fields(&contacts, &groups, rejection),
        preview: Preview::of(engine, &event, &samples).await?,
        samples,
        try_url: preview::URL,
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    Ok(desk.page_with(status, "event-new", Section::Events, "New event", page))
}

/// What a draft of a new event would be.
pub(crate) fn unsaved(draft: &Draft) -> Event {
    draft.event(&Slug::parse("new").expect("it is a slug"))
}

/// An event as a form would have it. Whoever may not change it sends no words of its own.
pub(crate) fn as_typed(event: Event, form: Option<&Form>) -> Event {
    let Some(form) = form.filter(|form| form.has("message")) else {
        return event;
    };
    let draft = Draft::typed(form, Some(&event), &mut Faults::default());
    Event {
        enabled: event.enabled,
        ..draft.event(&event.slug)
    }
}

/// Shows an event.
///
/// * `form` - what was typed, where the page is shown again.
/// * `rejection` - why it was not saved.
pub(crate) async fn show(
    desk: &PageContext,
    slug: &Slug,
    form: Option<&Form>,
    rejection: Option<&Rejection>,
) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
    let event = engine.store().event(slug).await?;
    let event = event.ok_or_else(|| PageError::missing(format!("event {slug}")))?;
    let tried = as_typed(event.clone(), form);
    let samples = Samples::of(&tried, form.unwrap_or(&Form::default()));
    let edit = if desk.is_admin() {
        Some(edit(desk, &event, form, rejection).await?)
    } else {
        None
    };
    let page = Page {
        name: event.name.to_string(),
        slug: slug.to_string(),
        enabled: event.enabled,
        switch: switch_of(&event, desk),
        notice: rejection.map(|rejection| rejection.notice(Draft::of(&event).told())),
        preview: Preview::of(engine, &tried, &samples).await?,
        samples,
        try_url: preview::URL,
        recent: history::of_target(engine, Target::Event(slug.clone())).await?,
        log: format!("/admin/log?target=event/{slug}"),
        audit: format!("/admin/audit?subject=event/{slug}"),
        edit,
        facts: facts(desk, &event).await?,
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    Ok(desk.page_with(status, "event", Section::Events, event.name.as_str(), page))
}

async fn edit(
    desk: &PageContext,
    event: &Event,
    form: Option<&Form>,
    rejection: Option<&Rejection>,
) -> Result<Edit, PageError> {
    let store = desk.app.engine.store();
    let (contacts, groups) = (store.contacts().await?, store.groups().await?);
    let draft = match form {
        Some(form) => Draft::typed(form, Some(event), &mut Faults::default()),
        None => Draft::of(event),
    };
    // Who tries something out has seen what the form says, and no more.
    let tried = form.filter(|_| rejection.is_none());
    let version = tried.map_or_else(
        || Revision::of(event).to_string(),
        |form| form.get("version").to_owned(),
    );
    let action = url(&event.slug);
    Ok(Edit {
        send: format!("/admin/send?target=event/{}", event.slug),
        version,
        fields: draft.fields(&contacts, &groups, rejection),
        remove: Confirm {
            action: format!("{action}/delete"),
            ask: "Remove event…".into(),
            text: "Alerts for this event will be refused. Past alerts remain in the log.".into(),
            button: format!("Remove {}", event.name),
            open: false,
        },
        action,
    })
}

async fn facts(desk: &PageContext, event: &Event) -> Result<Facts, PageError> {
    let store = desk.app.engine.store();
    let (contacts, groups) = (store.contacts().await?, store.groups().await?);
    let contacts = contacts
        .iter()
        .filter(|contact| event.contacts.contains(&contact.slug));
    let groups = groups
        .iter()
        .filter(|group| event.groups.contains(&group.slug));
    let told = contacts
        .map(Naming::contact)
        .chain(groups.map(Naming::group));
    Ok(Facts {
        description: event.description.clone(),
        subject: event.subject.clone(),
        message: event.message.clone(),
        sender: event.sender.clone(),
        missing_arguments: form::label(event.missing_arguments),
        told: told.collect(),
    })
}
