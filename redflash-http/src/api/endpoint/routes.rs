//! `/api/v1/contacts/…/endpoints`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::Engine;
use redflash_core::engine::EditError;
use redflash_core::message::Raise;
use redflash_core::model::{Address, ChannelKind, Contact, Endpoint, EndpointId, Slug};
use redflash_core::store::StoreError;

use crate::alert;
use crate::api::caller::Caller;
use crate::api::endpoint::dto;
use crate::api::endpoint::dto::{EndpointPatch, EndpointTest, NewEndpoint};
use crate::api::extract::json_body::Input;
use crate::api::extract::path::{Named, NamedEndpoint};
use crate::api::openapi::operation::Operation;
use crate::api::problem::Problem;
use crate::api::raised::Raised;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/contacts/{slug}/endpoints";
const ONE: &str = "/api/v1/contacts/{slug}/endpoints/{id}";
const TEST: &str = "/api/v1/contacts/{slug}/endpoints/{id}/test";
const TAG: &str = "Contacts";

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::ApiKey(Permission::View);
    let admin = Auth::ApiKey(Permission::Admin);
    vec![
        Route::new(Method::POST, ALL, admin, create).described(
            Operation::new("createEndpoint", TAG, "Create an endpoint of a contact")
                .body::<NewEndpoint>()
                .response::<dto::Endpoint>(StatusCode::CREATED, &["Location"])
                .errors(&[409]),
        ),
        Route::new(Method::GET, ONE, view, read).described(
            Operation::new("readEndpoint", TAG, "Get an endpoint").ok::<dto::Endpoint>(),
        ),
        Route::new(Method::PATCH, ONE, admin, change).described(
            Operation::new("changeEndpoint", TAG, "Enable, disable or move an endpoint")
                .body::<EndpointPatch>()
                .ok::<dto::Endpoint>()
                .errors(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove)
            .described(Operation::new("removeEndpoint", TAG, "Delete an endpoint").no_content()),
        Route::new(Method::POST, TEST, admin, test).described(
            Operation::new("testEndpoint", TAG, "Send a test message to an endpoint")
                .body::<EndpointTest>()
                .response::<Raised>(StatusCode::CREATED, &["Location"])
                .errors(&[409]),
        ),
    ]
}

fn path(contact: &Slug, id: EndpointId) -> String {
    format!("/api/v1/contacts/{contact}/endpoints/{id}")
}

/// Returns the index of an endpoint among those of its contact.
fn position(contact: &Contact, id: EndpointId) -> Result<usize, StoreError> {
    let position = contact.endpoints.iter().position(|one| one.id == id);
    position.ok_or_else(|| StoreError::Missing {
        what: format!("endpoint {id} of {}", contact.slug),
    })
}

async fn find(engine: &Engine, slug: &Slug) -> Result<Contact, StoreError> {
    let found = engine.store().contact(slug).await?;
    found.ok_or_else(|| StoreError::Missing {
        what: format!("contact/{slug}"),
    })
}

/// Rejects an endpoint whose address another endpoint of the contact has.
fn reject_duplicate(contact: &Contact, endpoint: &Endpoint) -> Result<(), StoreError> {
    let is_same = |one: &Endpoint| {
        one.id != endpoint.id
            && (&one.channel, &one.address) == (&endpoint.channel, &endpoint.address)
    };
    if contact.endpoints.iter().any(is_same) {
        let what = format!(
            "the {} address {} of {}",
            endpoint.channel, endpoint.address, contact.slug
        );
        return Err(StoreError::Conflict { what });
    }
    Ok(())
}

fn address(engine: &Engine, channel: &ChannelKind, raw: &str) -> Result<Address, EditError> {
    let address = engine.parse_address(channel, raw);
    address.map_err(|error| EditError::field("address", error.to_string()))
}

async fn create(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    Input(new): Input<NewEndpoint>,
) -> Result<Response, Problem> {
    let engine = &app.engine;
    let endpoint = Endpoint {
        id: EndpointId::new(engine.now()),
        address: address(engine, &new.channel, &new.address)?,
        channel: new.channel,
        enabled: new.enabled,
        opted_out: None,
    };
    let add = |contact: &mut Contact| {
        reject_duplicate(contact, &endpoint)?;
        contact.endpoints.push(endpoint.clone());
        Ok(())
    };
    engine.change(&slug, &caller.actor(), None, add).await?;
    let location = [(LOCATION, path(&slug, endpoint.id))];
    let warnings = engine.channel_warning(&endpoint.channel);
    let body = dto::Endpoint {
        warnings: warnings.into_iter().collect(),
        ..endpoint.into()
    };
    Ok((StatusCode::CREATED, location, Json(body)).into_response())
}

async fn read(
    State(app): State<Arc<App>>,
    NamedEndpoint { contact, id }: NamedEndpoint,
) -> Result<Json<dto::Endpoint>, Problem> {
    let mut contact = find(&app.engine, &contact).await?;
    let position = position(&contact, id)?;
    Ok(Json(contact.endpoints.swap_remove(position).into()))
}

async fn change(
    State(app): State<Arc<App>>,
    NamedEndpoint { contact: slug, id }: NamedEndpoint,
    caller: Caller,
    Input(patch): Input<EndpointPatch>,
) -> Result<Json<dto::Endpoint>, Problem> {
    let engine = &app.engine;
    let apply = |contact: &mut Contact| {
        let position = position(contact, id)?;
        let mut endpoint = contact.endpoints[position].clone();
        let is_new = |raw: &&String| !endpoint.address.is_written(raw);
        if let Some(raw) = patch.address.0.as_ref().filter(is_new) {
            let moved = address(engine, &endpoint.channel, raw)?;
            if moved != endpoint.address {
                endpoint.address = moved;
                // The recipient opted out of another address.
                endpoint.opted_out = None;
                reject_duplicate(contact, &endpoint)?;
            }
        }
        if let Some(enabled) = patch.enabled.0 {
            endpoint.enabled = enabled;
            endpoint.opted_out = None;
        }
        contact.endpoints[position] = endpoint;
        Ok(())
    };
    let mut contact = engine.change(&slug, &caller.actor(), None, apply).await?;
    let position = position(&contact, id)?;
    Ok(Json(contact.endpoints.swap_remove(position).into()))
}

async fn remove(
    State(app): State<Arc<App>>,
    NamedEndpoint { contact: slug, id }: NamedEndpoint,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let remove = |contact: &mut Contact| {
        let position = position(contact, id)?;
        contact.endpoints.remove(position);
        Ok(())
    };
    app.engine
        .change(&slug, &caller.actor(), None, remove)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn test(
    State(app): State<Arc<App>>,
    NamedEndpoint { contact: slug, id }: NamedEndpoint,
    caller: Caller,
    Input(body): Input<EndpointTest>,
) -> Result<Response, Problem> {
    let contact = find(&app.engine, &slug).await?;
    position(&contact, id)?;
    let text = body
        .message
        .0
        .unwrap_or_else(|| alert::endpoint_test_message(&contact.name));
    let raise = Raise::contact(slug, text)
        .only(id)
        .by(caller.key.slug.clone());
    let outcome = alert::raise_as(&app, raise, caller.actor()).await?;
    let raised = Raised::new(&outcome, &caller.key);
    Ok((StatusCode::CREATED, raised.location(), Json(raised)).into_response())
}
