//! Views and tests of gateways.

use std::time::Duration;

use redflash_channels::Configured;
use redflash_core::engine::GatewayTestView;
use redflash_core::gateway::{Callbacks, GatewayDetails, GatewayView};
use redflash_core::model::Slug;
use reqwest::Method;
use serde_json::json;

use super::api_client::DEADLINE;
use super::local::LocalStore;
use super::{Backend, Location};
use crate::error::CliError;
use crate::operator::operator;

/// Time that a gateway may take to respond.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

impl Backend {
    /// Lists the gateways, in the order in which those of a channel are tried.
    pub(crate) async fn gateways(&self) -> Result<Vec<GatewayView>, CliError> {
        match &self.location {
            Location::Local(local) => local.gateways().await,
            Location::Remote(api) => api.all("gateways", &[]).await,
        }
    }

    /// Returns a gateway with its settings.
    pub(crate) async fn gateway(&self, name: &Slug) -> Result<GatewayDetails, CliError> {
        let found = match &self.location {
            Location::Local(local) => local.gateway(name).await?,
            Location::Remote(api) => {
                let request = api.request(Method::GET, &["gateways", name.as_str()]);
                api.read_if_found(request).await?
            }
        };
        found.ok_or_else(|| CliError::missing("gateway", name.as_str()))
    }

    /// Sends a real message through a gateway.
    pub(crate) async fn test_gateway(
        &self,
        name: &Slug,
        to: &str,
        message: &str,
    ) -> Result<GatewayTestView, CliError> {
        let found = match &self.location {
            Location::Local(local) => local.test_gateway(name, to, message).await?,
            Location::Remote(api) => {
                let request = api.request(Method::POST, &["gateways", name.as_str(), "test"]);
                let body = json!({ "to": to, "message": message });
                let request = request.timeout(DEADLINE + TEST_TIMEOUT).json(&body);
                api.read_if_found(request).await?
            }
        };
        found.ok_or_else(|| CliError::missing("gateway", name.as_str()))
    }
}

impl LocalStore {
    async fn gateways(&self) -> Result<Vec<GatewayView>, CliError> {
        let engine = self.engine().await?;
        let statuses = engine.gateway_statuses().await?;
        let gateways = engine.gateways();
        Ok(gateways
            .iter()
            .map(|gateway| GatewayView::new(gateway, statuses.of(gateway)))
            .collect())
    }

    async fn gateway(&self, name: &Slug) -> Result<Option<GatewayDetails>, CliError> {
        let engine = self.engine().await?;
        let statuses = engine.gateway_statuses().await?;
        let mut all = self.context.loaded.gateways.iter();
        let found = all.find(|configured| configured.gateway.name == *name);
        let details = |configured: &Configured| {
            let callbacks = Callbacks {
                public_url: self.context.loaded.config.server.public_url.as_deref(),
                has_secret: !configured.callback_secrets.is_empty(),
            };
            GatewayDetails::new(&configured.gateway, &statuses, callbacks)
        };
        Ok(found.map(details))
    }

    async fn test_gateway(
        &self,
        name: &Slug,
        to: &str,
        message: &str,
    ) -> Result<Option<GatewayTestView>, CliError> {
        let engine = self.engine().await?;
        let gateways = engine.gateways();
        let Some(gateway) = gateways.get(name) else {
            return Ok(None);
        };
        let to = engine.parse_test_address(gateway, to);
        let to = to.map_err(|error| CliError::usage(format!("--to: {error}")))?;
        let result = engine.test_gateway(name, to, message, &operator()).await?;
        Ok(result.as_ref().map(GatewayTestView::from))
    }
}
