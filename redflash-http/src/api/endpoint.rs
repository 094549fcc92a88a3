//! `/api/v1/contacts/…/endpoints`: where a contact can be told.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::{
    Address, AddressError, ChannelKind, Contact, EditError, Endpoint, EndpointId, Engine,
    InvalidField, Raise, Slug, StoreError,
};
use serde::Deserialize;

use crate::alert;
use crate::api::Caller;
use crate::api::extract::json_body::{Input, given, on};
use crate::api::extract::path::{Named, NamedEndpoint};
use crate::api::openapi::operation::Operation;
use crate::api::problem::Problem;
use crate::api::resource::Warned;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/contacts/{slug}/endpoints";
const ONE: &str = "/api/v1/contacts/{slug}/endpoints/{id}";
const TEST: &str = "/api/v1/contacts/{slug}/endpoints/{id}/test";
const TAG: &str = "Contacts";

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::ApiKey(Permission::View);
    let admin = Auth::ApiKey(Permission::Admin);
    vec![
        Route::new(Method::POST, ALL, admin, create).described(
            Operation::new("createEndpoint", TAG, "Gives a contact one more endpoint")
                .takes("NewEndpoint")
                .answers(StatusCode::CREATED, Some("Endpoint".into()), &["Location"])
                .refuses(&[409]),
        ),
        Route::new(Method::GET, ONE, view, read)
            .described(Operation::new("readEndpoint", TAG, "Shows an endpoint").gives("Endpoint")),
        Route::new(Method::PATCH, ONE, admin, change).described(
            Operation::new("changeEndpoint", TAG, "Switches an endpoint, or moves it")
                .takes("EndpointChanges")
                .gives("Endpoint")
                .refuses(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove).described(
            Operation::new("removeEndpoint", TAG, "Takes an endpoint from a contact").ends(),
        ),
        Route::new(Method::POST, TEST, admin, test).described(
            Operation::new(
                "testEndpoint",
                TAG,
                "Sends a message to one endpoint, to try it out",
            )
            .takes("Test")
            .answers(StatusCode::CREATED, Some("Raised".into()), &["Location"])
            .refuses(&[409]),
        ),
    ]
}

/// An endpoint as it is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// The endpoint that it already is.
    #[serde(default, deserialize_with = "given")]
    id: Option<EndpointId>,
    channel: ChannelKind,
    address: String,
    #[serde(default = "on")]
    enabled: bool,
    /// As it was read; nobody is opted out from here.
    #[serde(default, rename = "opted_out", deserialize_with = "given")]
    _opted_out: Option<String>,
}

/// The endpoints of a contact, as they are to be.
///
/// * `old` - those that it has: one keeps its id by that, or by its address.
///
/// # Errors
///
/// [`EditError::Invalid`] with each address that is none, [`StoreError::Dangling`] for an id that
/// is none of the old ones.
pub(super) fn all(
    engine: &Engine,
    old: &[Endpoint],
    places: &[Place],
) -> Result<Vec<Endpoint>, EditError> {
    let mut endpoints = Vec::with_capacity(places.len());
    let mut faults = Vec::new();
    for (number, place) in places.iter().enumerate() {
        let known = place.known(old)?;
        match place.endpoint(engine, known) {
            Ok(endpoint) => endpoints.push(endpoint),
            Err(fault) => {
                let field = format!("endpoints[{number}].address");
                faults.push(InvalidField::new(field, fault.to_string()));
            }
        }
    }
    if !faults.is_empty() {
        return Err(EditError::Invalid(faults));
    }
    Ok(endpoints)
}

impl Place {
    /// The endpoint that it already is.
    fn known<'a>(&self, old: &'a [Endpoint]) -> Result<Option<&'a Endpoint>, EditError> {
        let Some(id) = self.id else {
            return Ok(old.iter().find(|one| self.is_at(one)));
        };
        let known = old.iter().find(|one| one.id == id);
        let dangling = || StoreError::Dangling {
            what: "the contact".to_owned(),
            reference: format!("endpoint/{id}"),
        };
        known.map(Some).ok_or_else(|| dangling().into())
    }

    fn is_at(&self, endpoint: &Endpoint) -> bool {
        endpoint.channel == self.channel && endpoint.address.is_written(&self.address)
    }

    fn endpoint(
        &self,
        engine: &Engine,
        known: Option<&Endpoint>,
    ) -> Result<Endpoint, AddressError> {
        let same = known.filter(|known| self.is_at(known));
        let address = match same {
            Some(known) => known.address.clone(),
            None => engine.parse_address(&self.channel, &self.address)?,
        };
        let silent = same.filter(|_| !self.enabled);
        Ok(Endpoint {
            id: known.map_or_else(|| EndpointId::new(engine.now()), |known| known.id),
            channel: self.channel.clone(),
            address,
            enabled: self.enabled,
            opted_out: silent.and_then(|known| known.opted_out.clone()),
        })
    }
}

/// An endpoint that is to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    channel: ChannelKind,
    address: String,
    #[serde(default = "on")]
    enabled: bool,
}

/// What is to be different about an endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Changes {
    #[serde(deserialize_with = "given")]
    address: Option<String>,
    #[serde(deserialize_with = "given")]
    enabled: Option<bool>,
}

/// A message to try an endpoint out with.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Test {
    #[serde(deserialize_with = "given")]
    message: Option<String>,
}

fn path(contact: &Slug, id: EndpointId) -> String {
    format!("/api/v1/contacts/{contact}/endpoints/{id}")
}

/// Where an endpoint stands among those of its contact.
fn place(contact: &Contact, id: EndpointId) -> Result<usize, StoreError> {
    let place = contact.endpoints.iter().position(|one| one.id == id);
    place.ok_or_else(|| StoreError::Missing {
        what: format!("endpoint {id} of {}", contact.slug),
    })
}

async fn find(engine: &Engine, slug: &Slug) -> Result<Contact, StoreError> {
    let found = engine.store().contact(slug).await?;
    found.ok_or_else(|| StoreError::Missing {
        what: format!("contact/{slug}"),
    })
}

/// Refuses an endpoint at an address that another of the contact has.
fn is_free(contact: &Contact, endpoint: &Endpoint) -> Result<(), StoreError> {
    let taken = |one: &Endpoint| {
        one.id != endpoint.id
            && (&one.channel, &one.address) == (&endpoint.channel, &endpoint.address)
    };
    if contact.endpoints.iter().any(taken) {
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
    address.map_err(|fault| EditError::field("address", fault.to_string()))
}

async fn create(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    Input(new): Input<New>,
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
        is_free(contact, &endpoint)?;
        contact.endpoints.push(endpoint.clone());
        Ok(())
    };
    engine.change(&slug, &caller.actor(), None, add).await?;
    let location = [(LOCATION, path(&slug, endpoint.id))];
    let warnings = engine.channel_warning(&endpoint.channel);
    let answer = Warned {
        view: endpoint,
        warnings: warnings.into_iter().collect(),
    };
    Ok((StatusCode::CREATED, location, Json(answer)).into_response())
}

async fn read(
    State(app): State<Arc<App>>,
    NamedEndpoint { contact, id }: NamedEndpoint,
) -> Result<Json<Endpoint>, Problem> {
    let mut contact = find(&app.engine, &contact).await?;
    let place = place(&contact, id)?;
    Ok(Json(contact.endpoints.swap_remove(place)))
}

async fn change(
    State(app): State<Arc<App>>,
    NamedEndpoint { contact: slug, id }: NamedEndpoint,
    caller: Caller,
    Input(changes): Input<Changes>,
) -> Result<Json<Endpoint>, Problem> {
    let engine = &app.engine;
    let apply = |contact: &mut Contact| {
        let place = place(contact, id)?;
        let mut endpoint = contact.endpoints[place].clone();
        let written = |raw: &&String| !endpoint.address.is_written(raw);
        if let Some(raw) = changes.address.as_ref().filter(written) {
            let moved = address(engine, &endpoint.channel, raw)?;
            if moved != endpoint.address {
                endpoint.address = moved;
                // Whoever asked for silence did so for another address.
                endpoint.opted_out = None;
                is_free(contact, &endpoint)?;
            }
        }
        if let Some(enabled) = changes.enabled {
            endpoint.enabled = enabled;
            endpoint.opted_out = None;
        }
        contact.endpoints[place] = endpoint;
        Ok(())
    };
    let mut contact = engine.change(&slug, &caller.actor(), None, apply).await?;
    let place = place(&contact, id)?;
    Ok(Json(contact.endpoints.swap_remove(place)))
}

async fn remove(
    State(app): State<Arc<App>>,
    NamedEndpoint { contact: slug, id }: NamedEndpoint,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let remove = |contact: &mut Contact| {
        let place = place(contact, id)?;
        contact.endpoints.remove(place);
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
    Input(wanted): Input<Test>,
) -> Result<Response, Problem> {
    let contact = find(&app.engine, &slug).await?;
    place(&contact, id)?;
    let text = wanted
        .message
        .unwrap_or_else(|| alert::endpoint_test_message(&contact.name));
    let raise = Raise::contact(slug, text)
        .only(id)
        .by(caller.key.slug.clone());
    let outcome = alert::raise_as(&app, raise, caller.actor()).await?;
    let told = outcome.into_response(&caller.key);
    let location = [(
        LOCATION,
        format!("/api/v1/notifications/{}", told.notification_id),
    )];
    Ok((StatusCode::CREATED, location, Json(told)).into_response())
}
