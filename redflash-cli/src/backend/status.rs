//! The status of the installation.

use redflash_core::store::Backlog;
use reqwest::Method;
use serde::Deserialize;

use super::{Backend, Location};
use crate::error::CliError;

/// The status of the installation.
#[derive(Debug)]
pub(crate) struct Status {
    /// True if the server is sending; `None` for the local store.
    pub(crate) sends: Option<bool>,
    /// The queued deliveries.
    pub(crate) backlog: Backlog,
}

/// The status in the API.
#[derive(Debug, Deserialize)]
struct StatusResponse {
    health: HealthResponse,
    backlog: Backlog,
}

/// The part of the health that the status shows.
#[derive(Debug, Deserialize)]
struct HealthResponse {
    running: bool,
}

impl Backend {
    /// Returns the status.
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
