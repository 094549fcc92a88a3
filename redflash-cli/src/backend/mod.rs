//! The backend of a command: the local store, or the API of a server.

mod api_client;
mod gateway;
mod gateway_routes;
mod id_prefix;
mod key;
mod local;
mod log;
mod raise;
mod resource;
mod response_error;
mod status;
mod user;

use redflash_core::engine::DirectoryItem;
use redflash_core::model::{Address, ChannelKind, Endpoint, EndpointId, Slug};

use api_client::ApiClient;
pub(crate) use api_client::RemoteServer;
pub(crate) use gateway_routes::GatewayRoutes;
pub(crate) use id_prefix::IdPrefix;
pub(crate) use key::NewKey;
use local::LocalStore;
pub(crate) use raise::{RaiseOutcome, is_sent};
pub(crate) use resource::{EditableResource, Resource};
pub(crate) use status::Status;
pub(crate) use user::UserEdit;

use crate::context::{Context, Missing};
use crate::error::{CliError, Exit};
use crate::operator::operator;
use crate::output::Output;

/// The backend of a command, with its output.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) output: Output,
    location: Location,
}

#[derive(Debug)]
enum Location {
    /// The local store, used as the operator.
    Local(Box<LocalStore>),
    /// The API of a server, used with an API key.
    Remote(Box<ApiClient>),
}

impl Backend {
    /// Creates the backend of the local store.
    ///
    /// * `missing` - the handling of a missing database.
    pub(crate) fn local(context: Context, missing: Missing) -> Self {
        Self {
            output: context.output.clone(),
            location: Location::Local(Box::new(LocalStore::new(context, missing))),
        }
    }

    /// Creates the backend of a server.
    pub(crate) fn remote(server: RemoteServer, output: Output) -> Result<Self, CliError> {
        let location = Location::Remote(Box::new(ApiClient::new(server)?));
        Ok(Self { output, location })
    }

    /// Lists the resources of one kind, ordered by slug.
    pub(crate) async fn list<T: Resource>(&self) -> Result<Vec<T>, CliError> {
        match &self.location {
            Location::Local(local) => Ok(T::all(&**local.engine().await?.store()).await?),
            Location::Remote(api) => api.all(&format!("{}s", T::KIND), &[]).await,
        }
    }

    /// Returns the resource with this slug.
    pub(crate) async fn find<T: Resource>(&self, slug: &Slug) -> Result<T, CliError> {
        match &self.location {
            Location::Local(local) => {
                let found = T::one(&**local.engine().await?.store(), slug).await?;
                found.ok_or_else(|| CliError::missing(T::KIND, slug.as_str()))
            }
            Location::Remote(api) => Ok(api.get_with_revision(T::KIND, slug).await?.0),
        }
    }

    /// Creates a resource and prints its name.
    pub(crate) async fn create<T: EditableResource>(&self, item: &T) -> Result<(), CliError> {
        let warnings = match &self.location {
            Location::Local(local) => {
                let engine = local.engine().await?;
                engine.create(item, &operator()).await?;
                item.warnings(engine)
            }
            Location::Remote(api) => api.create(T::KIND, &item.body(None)).await?,
        };
        self.output.warn(&warnings);
        let named = T::named(item.slug().clone());
        self.output.remark(format!("added {named}"))
    }

    /// Changes a resource and returns its new state. Retries if it was changed concurrently.
    pub(crate) async fn change<T: EditableResource>(
        &self,
        slug: &Slug,
        change: impl Fn(&mut T) + Send + Sync,
    ) -> Result<T, CliError> {
        match &self.location {
            Location::Local(local) => local.change(slug, change).await,
            Location::Remote(api) => Ok(api.change(slug, change).await?.item),
        }
    }

    /// Changes a resource and prints warnings about probable mistakes.
    pub(crate) async fn change_warned<T: EditableResource>(
        &self,
        slug: &Slug,
        change: impl Fn(&mut T) + Send + Sync,
    ) -> Result<T, CliError> {
        let (item, warnings) = match &self.location {
            Location::Local(local) => {
                let item: T = local.change(slug, change).await?;
                let warnings = item.warnings(local.engine().await?);
                (item, warnings)
            }
            Location::Remote(api) => {
                let changed = api.change(slug, change).await?;
                (changed.item, changed.warnings)
            }
        };
        self.output.warn(&warnings);
        Ok(item)
    }

    /// Removes a resource and prints its name.
    pub(crate) async fn remove<T: DirectoryItem>(&self, slug: &Slug) -> Result<(), CliError> {
        let named = T::named(slug.clone());
        match &self.location {
            Location::Local(local) => {
                let engine = local.engine().await?;
                engine.remove::<T>(slug, &operator(), None).await?;
            }
            Location::Remote(api) => api.remove(&named).await?,
        }
        self.output.remark(format!("removed {named}"))
    }

    /// Normalizes an address. With a server, this applies the local rules; the server checks the address
    /// again when it is saved.
    pub(crate) async fn address(
        &self,
        channel: &ChannelKind,
        raw: &str,
    ) -> Result<Address, CliError> {
        let parsed = match &self.location {
            Location::Local(local) => local.engine().await?.parse_address(channel, raw),
            Location::Remote(_) => {
                redflash_channels::parse_address(channel, raw).or_else(|_| Address::new(raw.trim()))
            }
        };
        parsed.map_err(|error| CliError::new(Exit::Usage, format!("{channel}: {error}")))
    }

    /// Creates an endpoint that is on.
    pub(crate) async fn endpoint(
        &self,
        channel: ChannelKind,
        raw: &str,
    ) -> Result<Endpoint, CliError> {
        let address = self.address(&channel, raw).await?;
        Ok(Endpoint {
            id: EndpointId::new(self.now().await?),
            channel,
            address,
            enabled: true,
            opted_out: None,
        })
    }
}
