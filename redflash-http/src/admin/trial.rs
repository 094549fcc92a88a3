//! A message to one endpoint, to try it out.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{
    Action, EndpointId, Idempotency, Plan, Raise, RaiseError, Raised, Slug, Verdict,
};
use tracing::error;

use super::desk::{Desk, Said};
use super::endpoint::gone;
use super::form::Form;
use super::named::NamedEndpoint;
use super::oops::Oops;
use crate::alert;
use crate::idempotency::digest;
use crate::route::{Door, Needs, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::POST,
        "/admin/contacts/{slug}/endpoints/{id}/test",
        Door::Session(Needs::Admin),
        test,
    )]
}

async fn test(desk: Desk, named: NamedEndpoint, form: Form) -> Result<Response, Oops> {
    let NamedEndpoint { contact: slug, id } = named;
    let engine = &desk.app.engine;
    let contact = engine.store().contact(&slug).await?;
    let contact = contact.ok_or_else(|| Oops::missing(format!("contact {slug}")))?;
    let endpoint = contact.endpoints.iter().find(|one| one.id == id);
    let endpoint = endpoint.ok_or_else(gone)?;
    let usual = || alert::of_test(&contact.name);
    let text = form.given("message").map_or_else(usual, str::to_owned);
    let raised = commit(&desk, raise(&slug, id, &text, form.given("once"))).await?;
    if !raised.repeat {
        let detail = format!("{} {}", endpoint.channel, endpoint.address);
        let subject = format!("contact/{slug}");
        let by = desk.actor();
        engine.note(&by, Action::Tested, &subject, &detail).await?;
    }
    let path = format!("/admin/log/{}", raised.notification);
    Ok(Desk::go(&path, Said::Raised))
}

/// The test, which goes out once however often its form is sent.
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

/// Raises on a task of its own: a browser that goes away must not stop it half-way.
async fn commit(desk: &Desk, raise: Raise) -> Result<Raised, Oops> {
    let engine = desk.app.engine.clone();
    let only = raise.only;
    let raised = tokio::spawn(async move { engine.raise(raise).await }).await;
    let raised = raised.map_err(|fault| {
        error!(%fault, "raising a test failed");
        Oops::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something is broken here",
            "The log of the server says what. Look into the log before you try again.",
        )
    })?;
    raised.map_err(|fault| match fault {
        RaiseError::NoRecipients(plan) => unreached(&plan, only),
        fault => fault.into(),
    })
}

/// Why a test was not sent.
fn unreached(plan: &Plan, endpoint: Option<EndpointId>) -> Oops {
    let mut endpoints = plan.recipients.iter().flat_map(|one| &one.endpoints);
    let found = endpoints.find(|one| Some(one.endpoint) == endpoint);
    let Some(Verdict::Skip(skip)) = found.map(|one| &one.verdict) else {
        return gone();
    };
    let text = format!("Nothing was sent: {skip}.");
    Oops::new(StatusCode::UNPROCESSABLE_ENTITY, "Not sent", text)
}
