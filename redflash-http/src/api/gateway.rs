//! `/api/v1/gateways`: what messages go through, and its state.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::{
    Address, Engine, Gateway, GatewayDetails, GatewayTest, GatewayTestView, GatewayView, Slug,
    StoreError,
};
use serde::Deserialize;

use crate::alert;
use crate::api::Caller;
use crate::api::extract::json_body::{Input, given};
use crate::api::extract::path::Named;
use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::page::{Page, cut};
use crate::api::problem::Problem;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/gateways";
const ONE: &str = "/api/v1/gateways/{slug}";
const TEST: &str = "/api/v1/gateways/{slug}/test";
const TAG: &str = "Gateways";

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::ApiKey(Permission::View);
    let admin = Auth::ApiKey(Permission::Admin);
    vec![
        Route::new(Method::GET, ALL, view, list).described(
            Operation::new(
                "listGateways",
                TAG,
                "Lists gateways, those of one channel in the order in which they are tried",
            )
            .asks(&["limit", "cursor"])
            .gives("GatewayPage"),
        ),
        Route::new(Method::GET, ONE, view, read)
            .described(Operation::new("readGateway", TAG, "Shows a gateway").gives("Gateway")),
        Route::new(Method::POST, TEST, admin, test).described(
            Operation::new(
                "testGateway",
                TAG,
                "Sends a real message through one gateway, and says what it answers",
            )
            .takes("GatewayTest")
            .answers(
                StatusCode::CREATED,
                Some("GatewayTest".into()),
                &["Location"],
            ),
        ),
    ]
}

/// A message to try a gateway out with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    /// An address of its channel.
    to: String,
    #[serde(default, deserialize_with = "given")]
    message: Option<String>,
}

fn find(engine: &Engine, name: &Slug) -> Result<Arc<Gateway>, StoreError> {
    let found = engine.gateways().get(name).cloned();
    found.ok_or_else(|| missing(name))
}

fn missing(name: &Slug) -> StoreError {
    let what = format!("gateway/{name}");
    StoreError::Missing { what }
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Response, Problem> {
    let (engine, limit) = (&app.engine, query.limit()?);
    let after: Option<Slug> = query.read("cursor")?;
    let statuses = engine.gateway_statuses().await?;
    let gateways = engine.gateways();
    let mut all = gateways.iter();
    if let Some(after) = &after {
        // Behind one that is gone stands nothing.
        all.find(|gateway| gateway.name == *after);
    }
    let view = |gateway: &Arc<Gateway>| GatewayView::new(gateway, statuses.of(gateway));
    let mut items: Vec<_> = all.map(view).collect();
    let next = cut(&mut items, limit, |gateway| gateway.name.clone());
    let page = Page {
        name: "gateways",
        items,
        next,
    };
    Ok(page.into_response())
}

async fn read(
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Json<GatewayDetails>, Problem> {
    let gateway = find(&app.engine, &name)?;
    let statuses = app.engine.gateway_statuses().await?;
    let callbacks = app.config.callbacks(&name);
    Ok(Json(GatewayDetails::new(&gateway, &statuses, callbacks)))
}

async fn test(
    State(app): State<Arc<App>>,
    Named(name): Named,
    caller: Caller,
    Input(wanted): Input<Test>,
) -> Result<Response, Problem> {
    let gateway = find(&app.engine, &name)?;
    let to = app.engine.parse_test_address(&gateway, &wanted.to);
    let to = to.map_err(|fault| Problem::field("to", fault.to_string()))?;
    let text = wanted
        .message
        .as_deref()
        .unwrap_or(alert::GATEWAY_TEST_MESSAGE);
    if text.chars().all(|c| c.is_whitespace() || c.is_control()) {
        return Err(Problem::field("message", "write what the test says"));
    }
    let trial = tried(&app.engine, &name, to, text, &caller).await?;
    let place = format!("/api/v1/notifications/{}", trial.notification);
    let view = Json(GatewayTestView::from(&trial));
    Ok((StatusCode::CREATED, [(LOCATION, place)], view).into_response())
}

async fn tried(
    engine: &Engine,
    name: &Slug,
    to: Address,
    text: &str,
    caller: &Caller,
) -> Result<GatewayTest, Problem> {
    let by = caller.actor();
    let (engine, gateway, text) = (engine.clone(), name.clone(), text.to_owned());
    let trying = async move { engine.test_gateway(&gateway, to, &text, &by).await };
    let trial = alert::run_detached(trying).await??;
    Ok(trial.ok_or_else(|| missing(name))?)
}
