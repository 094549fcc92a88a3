//! Where a command works: on the store of this machine, or at a server over its API.

mod api;
mod gateway;
mod here;
mod key;
mod log;
mod noun;
mod raise;
mod refusal;
mod route;
mod status;
mod user;

use redflash_core::{Address, ChannelKind, DirectoryItem, Endpoint, EndpointId, Slug};

use api::Api;
pub(crate) use api::Server;
use here::Here;
pub(crate) use key::NewKey;
pub(crate) use noun::{Document, Noun};
pub(crate) use raise::{Outcome, is_sent};
pub(crate) use route::Routes;
pub(crate) use status::Status;
pub(crate) use user::UserEdit;

use crate::context::{Context, Missing};
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::output::Output;

/// Where a command works, and where it prints.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) output: Output,
    at: At,
}

#[derive(Debug)]
enum At {
    /// On the store of this machine, in the name of whoever sits at it.
    Here(Box<Here>),
    /// At a server, with an API key.
    Server(Box<Api>),
}

impl Place {
    /// The store of this machine.
    ///
    /// * `missing` - the way to deal with one that does not exist.
    pub(crate) fn here(context: Context, missing: Missing) -> Self {
        Self {
            output: context.output.clone(),
            at: At::Here(Box::new(Here::new(context, missing))),
        }
    }

    /// A server.
    pub(crate) fn server(server: Server, output: Output) -> Result<Self, Failure> {
        let at = At::Server(Box::new(Api::new(server)?));
        Ok(Self { output, at })
    }

    /// Everything of one kind, in the order of slugs.
    pub(crate) async fn list<T: Noun>(&self) -> Result<Vec<T>, Failure> {
        match &self.at {
            At::Here(here) => Ok(T::all(&**here.engine().await?.store()).await?),
            At::Server(api) => api.all(&format!("{}s", T::KIND), &[]).await,
        }
    }

    /// The one of this slug.
    pub(crate) async fn find<T: Noun>(&self, slug: &Slug) -> Result<T, Failure> {
        match &self.at {
            At::Here(here) => {
                let found = T::one(&**here.engine().await?.store(), slug).await?;
                found.ok_or_else(|| Failure::missing(T::KIND, slug.as_str()))
            }
            At::Server(api) => Ok(api.seen(T::KIND, slug).await?.0),
        }
    }

    /// Makes something, and says so.
    pub(crate) async fn create<T: Document>(&self, item: &T) -> Result<(), Failure> {
        let warnings = match &self.at {
            At::Here(here) => {
                let engine = here.engine().await?;
                engine.create(item, &operator()).await?;
                item.warnings(engine)
            }
            At::Server(api) => api.create(T::KIND, &item.body(None)).await?,
        };
        self.output.warn(&warnings);
        let named = T::named(item.slug().clone());
        self.output.remark(format!("added {named}"))
    }

    /// Changes something, and returns it as it is now. When somebody else changes it meanwhile, it is
    /// read and changed anew.
    pub(crate) async fn change<T: Document>(
        &self,
        slug: &Slug,
        change: impl Fn(&mut T) + Send + Sync,
    ) -> Result<T, Failure> {
        match &self.at {
            At::Here(here) => here.change(slug, change).await,
            At::Server(api) => Ok(api.change(slug, change).await?.item),
        }
    }

    /// Changes something, and warns of what may not be meant so.
    pub(crate) async fn change_warned<T: Document>(
        &self,
        slug: &Slug,
        change: impl Fn(&mut T) + Send + Sync,
    ) -> Result<T, Failure> {
        let (item, warnings) = match &self.at {
            At::Here(here) => {
                let item: T = here.change(slug, change).await?;
                let warnings = item.warnings(here.engine().await?);
                (item, warnings)
            }
            At::Server(api) => {
                let changed = api.change(slug, change).await?;
                (changed.item, changed.warnings)
            }
        };
        self.output.warn(&warnings);
        Ok(item)
    }

    /// Removes something, and says so.
    pub(crate) async fn remove<T: DirectoryItem>(&self, slug: &Slug) -> Result<(), Failure> {
        let named = T::named(slug.clone());
        match &self.at {
            At::Here(here) => {
                let engine = here.engine().await?;
                engine.remove::<T>(slug, &operator(), None).await?;
            }
            At::Server(api) => api.remove(&named).await?,
        }
        self.output.remark(format!("removed {named}"))
    }

    /// An address in its channel's normal form: by the rules of this machine where the server is
    /// another, which has the last word on what is saved.
    pub(crate) async fn address(
        &self,
        channel: &ChannelKind,
        raw: &str,
    ) -> Result<Address, Failure> {
        let parsed = match &self.at {
            At::Here(here) => here.engine().await?.parse_address(channel, raw),
            At::Server(_) => {
                redflash_channels::parse_address(channel, raw).or_else(|_| Address::new(raw.trim()))
            }
        };
        parsed.map_err(|fault| Failure::new(Exit::Usage, format!("{channel}: {fault}")))
    }

    /// A new endpoint, which is on.
    pub(crate) async fn endpoint(
        &self,
        channel: ChannelKind,
        raw: &str,
    ) -> Result<Endpoint, Failure> {
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
