//! How things are.

use redflash_core::Health;
use redflash_core::store::Backlog;
use reqwest::Method;
use serde::Deserialize;

use super::{At, Place};
use crate::failure::Failure;

/// How things are.
#[derive(Debug)]
pub(crate) struct Status {
    /// Whether the server that was asked sends; `None` where none was asked.
    pub(crate) sends: Option<bool>,
    /// What waits.
    pub(crate) backlog: Backlog,
}

/// The same, as a server says it.
#[derive(Debug, Deserialize)]
struct Told {
    health: Health,
    backlog: Backlog,
}

impl Place {
    /// How things are.
    pub(crate) async fn status(&self) -> Result<Status, Failure> {
        match &self.at {
            At::Here(here) => {
                let engine = here.engine().await?;
                Ok(Status {
                    sends: None,
                    backlog: engine.store().backlog().await?,
                })
            }
            At::Server(api) => {
                let told: Told = api.read(api.request(Method::GET, &["status"])).await?;
                Ok(Status {
                    sends: Some(told.health.running),
                    backlog: told.backlog,
                })
            }
        }
    }
}
