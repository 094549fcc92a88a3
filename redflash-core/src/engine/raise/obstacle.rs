//! Obstacles that delay planned messages: gateways that take no messages, and budgets that are used
//! up.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::gateway::{Gateway, GatewayState, GatewayStatuses};
use crate::model::{Address, Slug};
use crate::plan::{Plan, Verdict};
use crate::store::{Allowance, StoreError};

/// Reason why a planned message would not go out at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Obstacle {
    /// The first gateway for the message.
    pub gateway: Slug,
    /// The state of that gateway, or its used-up budget, for people.
    pub reason: String,
    /// Time of the gateway's next try, if known.
    pub next_try_at: Option<Timestamp>,
    /// True if the message would be suppressed instead of waiting.
    pub suppresses: bool,
}

/// Maximum number of planned messages whose budgets are read.
const MAX_CHECKED: usize = 200;

impl Engine {
    /// Returns the obstacle, if any, of each message of a plan, in the order of the plan. Messages
    /// past the 200th are not checked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store does not answer.
    pub async fn obstacles(&self, plan: &Plan) -> Result<Vec<Option<Obstacle>>, StoreError> {
        let statuses = self.gateway_statuses().await?;
        let gateways = self.gateways();
        let endpoints = plan.recipients.iter().flat_map(|one| &one.endpoints);
        let delivered = endpoints.filter(|one| matches!(one.verdict, Verdict::Deliver(_)));
        let mut obstacles = Vec::new();
        for endpoint in delivered.take(MAX_CHECKED) {
            let serving: Vec<_> = gateways
                .serving(&endpoint.channel, &endpoint.address)
                .cloned()
                .collect();
            let obstacle = self.obstacle(&serving, &endpoint.address, &statuses);
            obstacles.push(obstacle.await?);
        }
        Ok(obstacles)
    }

    /// Returns the obstacle of the first of these gateways, unless another one is free.
    async fn obstacle(
        &self,
        serving: &[Arc<Gateway>],
        address: &Address,
        statuses: &GatewayStatuses,
    ) -> Result<Option<Obstacle>, StoreError> {
        let mut first = None;
        for gateway in serving {
            let found = match paused(gateway, statuses) {
                Some(obstacle) => Some(obstacle),
                None => self.used_up(gateway, address).await?,
            };
            match found {
                None => return Ok(None),
                Some(obstacle) => first = first.or(Some(obstacle)),
            }
        }
        Ok(first)
    }

    async fn used_up(
        &self,
        gateway: &Gateway,
        address: &Address,
    ) -> Result<Option<Obstacle>, StoreError> {
        let allowances = gateway.budget.allowances(&gateway.name, address);
        if allowances.is_empty() {
            return Ok(None);
        }
        let used = self.store().used(&allowances, self.now()).await?;
        let is_used_up = |(one, used): &(&Allowance, u32)| *used >= one.limit;
        let found = allowances.iter().zip(used).find(is_used_up);
        Ok(found.map(|(allowance, _)| Obstacle {
            gateway: gateway.name.clone(),
            reason: format!(
                "its budget of {} {} is used up",
                allowance.limit,
                allowance.window.each()
            ),
            next_try_at: None,
            suppresses: true,
        }))
    }
}

fn paused(gateway: &Gateway, statuses: &GatewayStatuses) -> Option<Obstacle> {
    let status = statuses.of(gateway);
    if matches!(status.state, GatewayState::Ok | GatewayState::Probing) {
        return None;
    }
    let reason = match status.last_error {
        Some(error) => format!("{}: {error}", status.state),
        None => status.state.to_string(),
    };
    Some(Obstacle {
        gateway: gateway.name.clone(),
        reason,
        next_try_at: status.next_try_at,
        suppresses: false,
    })
}
