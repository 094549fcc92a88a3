//! The page of an event, and the preview of its edits.

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::engine::Revision;
use redflash_core::model::{Event, Slug, Target};
use serde::Serialize;

use crate::admin::crud;
use crate::admin::event::form;
use crate::admin::event::form::{Draft, Fields};
use crate::admin::event::preview::Preview;
use crate::admin::event::samples::Samples;
use crate::admin::log::history;
use crate::admin::log::history::RecentNotification;
use crate::admin::ui::choices::Reference;
use crate::admin::ui::field::{Confirm, Switch};
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{FieldErrors, FormErrors, Notice};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::route::{Auth, Permission, Route};

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![Route::new(Method::POST, urls::EVENT_PREVIEW, view, preview)]
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
    /// The event as viewers see it.
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

/// Answers a script with the preview alone, and the form's button with the whole page.
async fn preview(context: PageContext, form: Form) -> Result<Response, PageError> {
    let slug = form.given("event").and_then(|slug| Slug::parse(slug).ok());
    if form.has("preview") {
        return match &slug {
            Some(slug) => show(&context, slug, Some(&form), None).await,
            None => crud::show_new::<Event>(&context, &form, None).await,
        };
    }
    let engine = &context.app.engine;
    let event = match &slug {
        Some(slug) => {
            let event = engine.store().event(slug).await?;
            event.ok_or_else(|| PageError::missing(format!("event {slug}")))?
        }
        None => Draft::parse(&form, None, &mut FieldErrors::default()).unsaved(),
    };
    let event = form::edited(event, Some(&form));
    let samples = Samples::of(&event, &form);
    let preview = Preview::of(engine, &event, &samples).await?;
    Ok(context.fragment("preview", preview).into_response())
}

/// Shows an event.
///
/// * `form` - the form to show instead of the saved event.
/// * `errors` - the errors of the form.
pub(crate) async fn show(
    context: &PageContext,
    slug: &Slug,
    form: Option<&Form>,
    errors: Option<&FormErrors>,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let event = engine.store().event(slug).await?;
    let event = event.ok_or_else(|| PageError::missing(format!("event {slug}")))?;
    let edited = form::edited(event.clone(), form);
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
        switch: crud::switch(&event, context),
        notice: errors.map(|errors| errors.notice(Draft::of(&event).summary())),
        preview: Preview::of(engine, &edited, &samples).await?,
        samples,
        preview_url: urls::EVENT_PREVIEW,
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
        Some(form) => Draft::parse(form, Some(event), &mut FieldErrors::default()),
        None => Draft::of(event),
    };
    // A preview must not move the form to a newer revision than the user has seen.
    let previewed = form.filter(|_| errors.is_none());
    let version = previewed.map_or_else(
        || Revision::of(event).to_string(),
        |form| form.get("version").to_owned(),
    );
    let action = urls::event(&event.slug);
    Ok(Edit {
        send: format!("/admin/send?target=event/{}", event.slug),
        version,
        fields: draft.fields(&contacts, &groups, errors),
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
