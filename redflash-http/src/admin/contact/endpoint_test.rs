//! Test messages to one endpoint.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::engine::RaiseError;
use redflash_core::message::{Idempotency, Raise};
use redflash_core::model::{EndpointId, Slug};
use redflash_core::plan::{Plan, Verdict};

use crate::admin::contact::endpoint::no_such_endpoint;
use crate::admin::ui::flash::Flash;
use crate::admin::ui::form::Form;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::path::EndpointPath;
use crate::admin::ui::redirect::redirect_with;
use crate::admin::urls;
use crate::alert;
use crate::error::RaiseFailure;
use crate::extract::idempotency::digest;
use crate::route::{Auth, Permission, Route};

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::POST,
        "/admin/contacts/{slug}/endpoints/{id}/test",
        Auth::Session(Permission::Admin),
        test,
    )]
}

async fn test(
    context: PageContext,
    named: EndpointPath,
    form: Form,
) -> Result<Response, PageError> {
    let EndpointPath { contact: slug, id } = named;
    let engine = &context.app.engine;
    let contact = engine.store().contact(&slug).await?;
    let contact = contact.ok_or_else(|| PageError::missing(format!("contact {slug}")))?;
    if !contact.endpoints.iter().any(|one| one.id == id) {
        return Err(no_such_endpoint());
    }
    let usual = || alert::endpoint_test_message(&contact.name);
    let text = form.given("message").map_or_else(usual, str::to_owned);
    let raise = raise(&slug, id, &text, form.given("once"));
    let outcome = alert::raise_as(&context.app, raise, context.actor()).await;
    let outcome = outcome.map_err(|failed| match failed {
        RaiseFailure::Refused(RaiseError::NoRecipients(plan)) => not_sent(&plan, id),
        failed => failed.into(),
    })?;
    let path = urls::notification(outcome.raised().notification);
    Ok(redirect_with(&path, Flash::Raised))
}

/// Returns the test message. Repeated submissions of its form send it once.
fn raise(contact: &Slug, endpoint: EndpointId, text: &str, once: Option<&str>) -> Raise {
    let raise = Raise::contact(contact.clone(), text).only(endpoint);
    let Some(once) = once.filter(|once| once.len() <= Idempotency::MAX_KEY) else {
        return raise;
    };
    let what = digest(raise.target(), raise.content());
    raise.idempotent(Idempotency {
        key: once.to_owned(),
        digest: format!("{endpoint} {what}"),
    })
}

/// Returns the reason why a test was not sent.
fn not_sent(plan: &Plan, endpoint: EndpointId) -> PageError {
    let mut endpoints = plan.recipients.iter().flat_map(|one| &one.endpoints);
    let found = endpoints.find(|one| one.endpoint == endpoint);
    let Some(Verdict::Skip(skip)) = found.map(|one| &one.verdict) else {
        return no_such_endpoint();
    };
    let text = format!("Nothing was sent: {skip}.");
    PageError::new(StatusCode::UNPROCESSABLE_ENTITY, "Not sent", text)
}
