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
use crate::admin::log::history::RecentNotification;
use crate::admin::ui::choices::Reference;
use crate::admin::ui::field::{Confirm, Field, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormErrors, Notice};
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
    preview_url: &'static str,
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
    preview_url: &'static str,
    preview: Preview,
    recent: Vec<RecentNotification>,
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
    recipients: Vec<Reference>,
}

/// Shows the form of a new event, as it was filled in.
pub(crate) async fn show_new(
    context: &PageContext,
    form: &Form,
    errors: Option<&FormErrors>,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let draft = Draft::typed(form, None, &mut FieldErrors::default());
    let event = unsaved(&draft);
    let samples = Samples::of(&event, form);
    let contacts = engine.store().contacts().await?;
    let groups = engine.store().groups().await?;
    let error = |field| errors.and_then(|errors| errors.error(field));
    let page = New {
        notice: errors.map(|errors| errors.notice(Vec::new())),
        once: form
            .given("once")
            .map_or_else(PageContext::once, str::to_owned),
        slug: slug_field().value(form.get("slug")).error(error("slug")),
        fields: draft.fields(&contacts, &groups, errors),
        preview: Preview::of(engine, &event, &samples).await?,
        samples,
        preview_url: preview::URL,
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    Ok(context.page_with(status, "event-new", Section::Events, "New event", page))
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
    let draft = Draft::typed(form, Some(&event), &mut FieldErrors::default());
    Event {
        enabled: event.enabled,
        ..draft.event(&event.slug)
    }
}

/// Shows an event.
///
/// * `form` - what was typed, where the page is shown again.
/// * `errors` - why it was not saved.
pub(crate) async fn show(
    context: &PageContext,
    slug: &Slug,
    form: Option<&Form>,
    errors: Option<&FormErrors>,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let event = engine.store().event(slug).await?;
    let event = event.ok_or_else(|| PageError::missing(format!("event {slug}")))?;
    let edited = as_typed(event.clone(), form);
    let samples = Samples::of(&edited, form.unwrap_or(&Form::default()));
    let edit = if context.is_admin() {
        Some(edit(context, &event, form, errors).await?)
    } else {
        None
    };
    let page = Page {
        name: event.name.to_string(),
        slug: slug.to_string(),
        enabled: event.enabled,
        switch: switch_of(&event, context),
        notice: errors.map(|errors| errors.notice(Draft::of(&event).summary())),
        preview: Preview::of(engine, &edited, &samples).await?,
        samples,
        preview_url: preview::URL,
        recent: history::of_target(engine, Target::Event(slug.clone())).await?,
        log: format!("/admin/log?target=event/{slug}"),
        audit: format!("/admin/audit?subject=event/{slug}"),
        edit,
        facts: facts(context, &event).await?,
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    Ok(context.page_with(status, "event", Section::Events, event.name.as_str(), page))
}

async fn edit(
    context: &PageContext,
    event: &Event,
    form: Option<&Form>,
    errors: Option<&FormErrors>,
) -> Result<Edit, PageError> {
    let store = context.app.engine.store();
    let (contacts, groups) = (store.contacts().await?, store.groups().await?);
    let draft = match form {
        Some(form) => Draft::typed(form, Some(event), &mut FieldErrors::default()),
        None => Draft::of(event),
    };
    // Who tries something out has seen what the form says, and no more.
    let edited = form.filter(|_| errors.is_none());
    let version = edited.map_or_else(
        || Revision::of(event).to_string(),
        |form| form.get("version").to_owned(),
    );
    let action = url(&event.slug);
    Ok(Edit {
        send: format!("/admin/send?target=event/{}", event.slug),
        version,
        fields: draft.fields(&contacts, &groups, errors),
        remove: Confirm {
            action: format!("{action}/delete"),
            ask: "Remove event…".into(),
            text: "Whoever raises it is refused from then on. What was sent stays in the log."
                .into(),
            button: format!("Remove {}", event.name),
            open: false,
        },
        action,
    })
}

async fn facts(context: &PageContext, event: &Event) -> Result<Facts, PageError> {
    let store = context.app.engine.store();
    let (contacts, groups) = (store.contacts().await?, store.groups().await?);
    let contacts = contacts
        .iter()
        .filter(|contact| event.contacts.contains(&contact.slug));
    let groups = groups
        .iter()
        .filter(|group| event.groups.contains(&group.slug));
    let recipients = contacts
        .map(Reference::contact)
        .chain(groups.map(Reference::group));
    Ok(Facts {
        description: event.description.clone(),
        subject: event.subject.clone(),
        message: event.message.clone(),
        sender: event.sender.clone(),
        missing_arguments: form::label(event.missing_arguments),
        recipients: recipients.collect(),
    })
}
