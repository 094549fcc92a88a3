//! `GET /api/v1/status`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{AttemptOutcome, DeliveryState};
use redflash_core::model::Slug;
use redflash_core::store::OutcomeCount;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::gateway::dto::GatewayLane;
use crate::api::openapi::operation::Operation;
use crate::api::openapi::value;
use crate::api::problem::Problem;
use crate::app::App;
use crate::last_day;
use crate::route::{Auth, Permission, Route};

pub(super) fn routes() -> Vec<Route> {
    let auth = Auth::ApiKey(Permission::View);
    let status = Operation::new("readStatus", "Status", "Get the system status").ok::<Status>();
    vec![Route::new(Method::GET, "/api/v1/status", auth, show).described(status)]
}

/// System status.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Status {
    health: Health,
    backlog: Backlog,
    recent: Recent,
}

/// Health of the node that responds.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Health {
    /// True if the dispatcher is running and has checked the queue recently.
    running: bool,
    /// Problems of the dispatcher, for people.
    problems: Vec<String>,
    /// Time at which the queue was last checked.
    #[schemars(with = "Option<value::Time>")]
    last_poll_at: Option<Timestamp>,
    /// Approximate number of queued deliveries.
    queued: u64,
    /// Number of nodes that dispatch from the store.
    nodes: u32,
    /// Gateways that are sending messages or are unavailable, by lane.
    gateways: Vec<GatewayLane>,
    /// Gateways with an open alarm.
    #[schemars(with = "Vec<value::Slug>")]
    stopped: Vec<Slug>,
}

/// Deliveries that are waiting.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Backlog {
    /// Deliveries that wait for their turn or their next attempt.
    queued: u64,
    /// Deliveries that are being sent.
    sending: u64,
    /// Earliest time at which a queued delivery is due.
    #[schemars(with = "Option<value::Time>")]
    oldest_due: Option<Timestamp>,
}

/// Statistics of the last day.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Recent {
    #[schemars(with = "value::States")]
    states: BTreeMap<DeliveryState, u64>,
    /// Outcomes of attempts, by gateway and hour.
    outcomes: Vec<Outcomes>,
    /// True if only the newest deliveries and attempts were counted, since there were too many.
    cut: bool,
}

/// Number of attempts with one outcome.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Outcomes {
    /// Null if the server stopped before the gateway was recorded.
    #[schemars(with = "Option<value::Slug>")]
    gateway: Option<Slug>,
    #[schemars(with = "value::Time")]
    at: Timestamp,
    #[schemars(with = "value::AttemptOutcome")]
    outcome: AttemptOutcome,
    count: u64,
}

impl From<redflash_core::engine::Health> for Health {
    fn from(health: redflash_core::engine::Health) -> Self {
        Self {
            running: health.running,
            problems: health.problems,
            last_poll_at: health.last_poll_at,
            queued: health.queued,
            nodes: health.nodes,
            gateways: health.gateways.into_iter().map(Into::into).collect(),
            stopped: health.stopped,
        }
    }
}

impl From<redflash_core::store::Backlog> for Backlog {
    fn from(backlog: redflash_core::store::Backlog) -> Self {
        Self {
            queued: backlog.queued,
            sending: backlog.sending,
            oldest_due: backlog.oldest_due,
        }
    }
}

impl From<redflash_core::store::Recent> for Recent {
    fn from(recent: redflash_core::store::Recent) -> Self {
        Self {
            states: recent.states,
            outcomes: recent.outcomes.into_iter().map(Into::into).collect(),
            cut: recent.cut,
        }
    }
}

impl From<OutcomeCount> for Outcomes {
    fn from(count: OutcomeCount) -> Self {
        Self {
            gateway: count.gateway,
            at: count.at,
            outcome: count.outcome,
            count: count.count,
        }
    }
}

async fn show(State(app): State<Arc<App>>) -> Result<Json<Status>, Problem> {
    let engine = &app.engine;
    Ok(Json(Status {
        health: engine.health().into(),
        backlog: engine.store().backlog().await?.into(),
        recent: last_day::recent(engine).await?.into(),
    }))
}
