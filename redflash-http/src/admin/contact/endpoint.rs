//! `/admin/contacts/…/endpoints`: the endpoints of a contact.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::engine::{EditError, Revision};
use redflash_core::model::{Contact, Endpoint, EndpointId, Slug};
use redflash_core::store::StoreError;
use serde::Serialize;

use crate::admin::contact::endpoint_form;
use crate::admin::contact::endpoint_form::{EndpointFields, channel_in};
use crate::admin::contact::page;
use crate::admin::contact::page::RejectedForm;
use crate::admin::crud;
use crate::admin::ui::field::{Confirm, Field};
use crate::admin::ui::flash::Flash;
use crate::admin::ui::form::{Form, once_token};
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors, Notice};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::path::{EndpointPath, SlugPath};
use crate::admin::ui::redirect::{redirect_toggled, redirect_with};
use crate::admin::ui::templates::Section;
use crate::admin::urls;
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
            toggle,
        ),
        Route::new(
            Method::POST,
            "/admin/contacts/{slug}/endpoints/{id}/delete",
            admin,
            delete,
        ),
    ]
}

async fn create(
    context: PageContext,
    SlugPath(slug): SlugPath,
    form: Form,
) -> Result<Response, PageError> {
    match add(&context, &slug, &form).await {
        Ok(()) => Ok(redirect_with(&urls::contact(&slug), Flash::Added)),
        Err(error) => {
            let errors = error.form()?;
            let rejected = RejectedForm::Endpoint(&form, &errors);
            page::show(&context, &slug, Some(rejected)).await
        }
    }
}

async fn add(context: &PageContext, slug: &Slug, form: &Form) -> Result<(), FormError> {
    let engine = &context.app.engine;
    let mut errors = FieldErrors::default();
    let Some((channel, address)) = endpoint_form::parse(engine, form, &mut errors) else {
        return Err(errors.into());
    };
    let (id, once) = (EndpointId::new(context.now()), form.is_once());
    let change = |contact: &mut Contact| {
        let same = |one: &Endpoint| (&one.channel, &one.address) == (&channel, &address);
        if once && contact.endpoints.iter().any(same) {
            return Ok(());
        }
        let more = contact.clone();
        *contact = more.with_endpoint(id, channel.clone(), address.clone());
        Ok(())
    };
    engine.change(slug, &context.actor(), None, change).await?;
    Ok(())
}

#[derive(Serialize)]
struct Page {
    contact: String,
    back: String,
    action: String,
    version: String,
    notice: Option<Notice>,
    endpoint: EndpointFields,
    message: Field,
    once: String,
    remove: Confirm,
}

async fn page(context: PageContext, path: EndpointPath) -> Result<Response, PageError> {
    show(&context, &path, &Form::default(), None).await
}

async fn show(
    context: &PageContext,
    EndpointPath { contact: slug, id }: &EndpointPath,
    form: &Form,
    errors: Option<&FormErrors>,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let contact = engine.store().contact(slug).await?;
    let contact = contact.ok_or_else(|| PageError::missing(format!("contact {slug}")))?;
    let found = contact.endpoints.iter().find(|one| one.id == *id);
    let endpoint = found.ok_or_else(no_such_endpoint)?;
    let now = || vec![format!("{} {}", endpoint.channel, endpoint.address)];
    let page = Page {
        contact: contact.name.to_string(),
        back: urls::contact(slug),
        action: urls::endpoint(slug, *id),
        version: Revision::of(&contact).to_string(),
        notice: errors.map(|errors| errors.notice(now())),
        endpoint: EndpointFields::new(engine, form, Some(endpoint), errors),
        message: Field::area("message", "Message")
            .hint("Leave empty to send a default test message."),
        once: once_token(),
        remove: endpoint_form::removal(slug, endpoint),
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    let title = format!("{} of {}", endpoint.channel, contact.name);
    Ok(context.page_with(status, "endpoint", Section::Contacts, &title, page))
}

pub(crate) fn no_such_endpoint() -> PageError {
    PageError::missing("such endpoint")
}

fn missing() -> EditError {
    let what = "such endpoint".to_owned();
    StoreError::Missing { what }.into()
}

fn index_of(contact: &Contact, id: EndpointId) -> Result<usize, EditError> {
    let index = contact.endpoints.iter().position(|one| one.id == id);
    index.ok_or_else(missing)
}

async fn save(context: PageContext, path: EndpointPath, form: Form) -> Result<Response, PageError> {
    match change(&context, &path, &form).await {
        Ok(()) => Ok(redirect_with(&urls::contact(&path.contact), Flash::Saved)),
        Err(error) => show(&context, &path, &form, Some(&error.form()?)).await,
    }
}

async fn change(context: &PageContext, path: &EndpointPath, form: &Form) -> Result<(), FormError> {
    let engine = &context.app.engine;
    let seen = Revision::new(form.get("version"));
    let change = |contact: &mut Contact| {
        let index = index_of(contact, path.id)?;
        let endpoint = &mut contact.endpoints[index];
        let mut errors = FieldErrors::default();
        let is_unchanged = endpoint.address.is_written(form.get("address").trim())
            && channel_in(form).is_none_or(|channel| channel == endpoint.channel.as_str());
        let edited = if is_unchanged {
            Some((endpoint.channel.clone(), endpoint.address.clone()))
        } else if channel_in(form).is_some() {
            endpoint_form::parse(engine, form, &mut errors)
        } else {
            let channel = endpoint.channel.clone();
            let address = engine.parse_address(&channel, form.get("address"));
            errors
                .take("address", address)
                .map(|address| (channel, address))
        };
        let Some(edited) = edited else {
            return Err(errors.into());
        };
        if edited != (endpoint.channel.clone(), endpoint.address.clone()) {
            (endpoint.channel, endpoint.address) = edited;
            // The opt-out was for another address.
            endpoint.opted_out = None;
        }
        Ok(())
    };
    engine
        .change(&path.contact, &context.actor(), Some(&seen), change)
        .await?;
    Ok(())
}

async fn toggle(
    context: PageContext,
    EndpointPath { contact: slug, id }: EndpointPath,
    form: Form,
) -> Result<Response, PageError> {
    let enabled = crud::requested_state(&form)?;
    let change = |contact: &mut Contact| {
        let index = index_of(contact, id)?;
        let endpoint = &mut contact.endpoints[index];
        endpoint.enabled = enabled;
        endpoint.opted_out = None;
        Ok(())
    };
    let engine = &context.app.engine;
    engine.change(&slug, &context.actor(), None, change).await?;
    Ok(redirect_toggled(
        &urls::contact(&slug),
        &urls::endpoint(&slug, id),
        enabled,
    ))
}

async fn delete(
    context: PageContext,
    EndpointPath { contact: slug, id }: EndpointPath,
) -> Result<Response, PageError> {
    let change = |contact: &mut Contact| {
        let index = index_of(contact, id)?;
        contact.endpoints.remove(index);
        Ok(())
    };
    let engine = &context.app.engine;
    engine.change(&slug, &context.actor(), None, change).await?;
    Ok(redirect_with(&urls::contact(&slug), Flash::Removed))
}
