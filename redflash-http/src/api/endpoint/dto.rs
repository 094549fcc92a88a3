//! Endpoints as the API reads and writes them.

use std::borrow::Cow;

use redflash_core::Engine;
use redflash_core::engine::{EditError, InvalidField};
use redflash_core::model::{Address, AddressError, ChannelKind, EndpointId};
use redflash_core::store::StoreError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::api::extract::json_body::{Optional, enabled};
use crate::api::openapi::value;

/// An address of a contact on a channel.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Endpoint {
    #[schemars(with = "value::Id")]
    pub(super) id: EndpointId,
    #[schemars(with = "value::Channel")]
    pub(super) channel: ChannelKind,
    /// Address in the channel's normal form, with the password of a URL masked. Sending back a masked
    /// address keeps the password.
    #[schemars(with = "String")]
    pub(super) address: Address,
    /// False if nothing is sent to the address.
    pub(super) enabled: bool,
    /// Reason why the endpoint is disabled, if the recipient opted out or if its imported address is
    /// invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(super) opted_out: Option<String>,
    /// Likely mistakes in what was saved. Only in responses to changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
}

/// An endpoint to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEndpoint {
    #[schemars(with = "value::Channel")]
    pub(super) channel: ChannelKind,
    #[schemars(with = "value::Address")]
    pub(super) address: String,
    /// False if nothing is sent to the address.
    #[serde(default = "enabled")]
    pub(super) enabled: bool,
}

/// Fields of an endpoint to change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EndpointPatch {
    #[schemars(with = "value::Address")]
    pub(super) address: Optional<String>,
    /// False if nothing is sent to the address.
    pub(super) enabled: Optional<bool>,
}

/// A test of an endpoint.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EndpointTest {
    /// Text of the test message; a default text if absent.
    #[schemars(extend("pattern" = r"\S"))]
    pub(super) message: Optional<String>,
}

/// All endpoints of a contact.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Endpoints(Vec<EndpointEntry>);

/// An endpoint of a contact.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EndpointEntry {
    /// Id of an existing endpoint to keep.
    #[serde(default)]
    #[schemars(with = "value::Id")]
    id: Optional<EndpointId>,
    #[schemars(with = "value::Channel")]
    channel: ChannelKind,
    #[schemars(with = "value::Address")]
    address: String,
    /// False if nothing is sent to the address.
    #[serde(default = "enabled")]
    enabled: bool,
    /// Accepted so that an endpoint can be sent back as it was read, and ignored: an opt-out ends when the
    /// endpoint is enabled.
    #[serde(default, rename = "opted_out")]
    _opted_out: Optional<String>,
}

impl From<redflash_core::model::Endpoint> for Endpoint {
    fn from(endpoint: redflash_core::model::Endpoint) -> Self {
        Self {
            id: endpoint.id,
            channel: endpoint.channel,
            address: endpoint.address,
            enabled: endpoint.enabled,
            opted_out: endpoint.opted_out,
            warnings: Vec::new(),
        }
    }
}

impl JsonSchema for Endpoints {
    fn schema_name() -> Cow<'static, str> {
        "Endpoints".into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "description": "All endpoints of a contact. An entry with the id of an existing endpoint, or \
                            else with its address, keeps that endpoint.",
            "uniqueItems": true,
            "items": schemas.subschema_for::<EndpointEntry>(),
        })
    }
}

impl Endpoints {
    /// Returns the endpoints to save.
    ///
    /// * `old` - the current endpoints, which keep their ids.
    ///
    /// # Errors
    ///
    /// [`EditError::Invalid`] with every invalid address, [`StoreError::Dangling`] for an id that is not
    /// in `old`.
    pub(crate) fn resolve(
        &self,
        engine: &Engine,
        old: &[redflash_core::model::Endpoint],
    ) -> Result<Vec<redflash_core::model::Endpoint>, EditError> {
        let mut endpoints = Vec::with_capacity(self.0.len());
        let mut errors = Vec::new();
        for (index, entry) in self.0.iter().enumerate() {
            let known = entry.known(old)?;
            match entry.endpoint(engine, known) {
                Ok(endpoint) => endpoints.push(endpoint),
                Err(error) => {
                    let field = format!("endpoints[{index}].address");
                    errors.push(InvalidField::new(field, error.to_string()));
                }
            }
        }
        if !errors.is_empty() {
            return Err(EditError::Invalid(errors));
        }
        Ok(endpoints)
    }
}

impl EndpointEntry {
    /// Returns the existing endpoint that it keeps.
    fn known<'a>(
        &self,
        old: &'a [redflash_core::model::Endpoint],
    ) -> Result<Option<&'a redflash_core::model::Endpoint>, EditError> {
        let Some(id) = self.id.0 else {
            return Ok(old.iter().find(|one| self.is_at(one)));
        };
        let known = old.iter().find(|one| one.id == id);
        let dangling = || StoreError::Dangling {
            what: "the contact".to_owned(),
            reference: format!("endpoint/{id}"),
        };
        known.map(Some).ok_or_else(|| dangling().into())
    }

    /// Returns true if it has the address of an endpoint.
    fn is_at(&self, endpoint: &redflash_core::model::Endpoint) -> bool {
        endpoint.channel == self.channel && endpoint.address.is_written(&self.address)
    }

    fn endpoint(
        &self,
        engine: &Engine,
        known: Option<&redflash_core::model::Endpoint>,
    ) -> Result<redflash_core::model::Endpoint, AddressError> {
        let same = known.filter(|known| self.is_at(known));
        let address = match same {
            Some(known) => known.address.clone(),
            None => engine.parse_address(&self.channel, &self.address)?,
        };
        let disabled = same.filter(|_| !self.enabled);
        Ok(redflash_core::model::Endpoint {
            id: known.map_or_else(|| EndpointId::new(engine.now()), |known| known.id),
            channel: self.channel.clone(),
            address,
            enabled: self.enabled,
            opted_out: disabled.and_then(|known| known.opted_out.clone()),
        })
    }
}
