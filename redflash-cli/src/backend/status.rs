//! How things are.

use redflash_core::Health;
use redflash_core::store::Backlog;
use reqwest::Method;
use serde::Deserialize;

use super::{Backend, Location};
use crate::error::CliError;

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
struct StatusResponse {
    health: Health,
    backlog: Backlog,
}

impl Backend {
    /// How things are.
    pub(crate) async fn status(&self) -> Result<Status, CliError> {
        match &self.location {
            Location::Local(local) => {
                let engine = local.engine().await?;
                Ok(Status {
                    sends: None,
                    backlog: engine.store().backlog().await?,
                })
            }
            Location::Remote(api) => {
                let response: StatusResponse =
                    api.read(api.request(Method::GET, &["status"])).await?;
                Ok(Status {
                    sends: Some(response.health.running),
                    backlog: response.backlog,
                })
            }
        }
    }
}
