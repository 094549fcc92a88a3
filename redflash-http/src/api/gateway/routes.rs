//! `/api/v1/gateways`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::Engine;
use redflash_core::engine::GatewayTestView;
use redflash_core::gateway::{GatewayDetails, GatewayView};
use redflash_core::model::{Address, Slug};
use redflash_core::store::StoreError;

use crate::alert;
use crate::api::caller::Caller;
use crate::api::extract::json_body::Input;
use crate::api::extract::path::Named;
use crate::api::extract::query::Query;
use crate::api::gateway::dto::{Gateway, GatewaySummary, GatewayTest, NewGatewayTest};
use crate::api::openapi::operation::Operation;
use crate::api::page::{Page, truncate};
use crate::api::problem::Problem;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

const ALL: &str = "/api/v1/gateways";
const ONE: &str = "/api/v1/gateways/{slug}";
const TEST: &str = "/api/v1/gateways/{slug}/test";
const TAG: &str = "Gateways";

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::ApiKey(Permission::View);
    let admin = Auth::ApiKey(Permission::Admin);
    vec![
        Route::new(Method::GET, ALL, view, list).described(
            Operation::new(
                "listGateways",
                TAG,
                "List gateways, those of a channel in the order in which they are tried",
            )
            .parameters(&["limit", "cursor"])
            .ok::<Page<GatewaySummary>>(),
        ),
        Route::new(Method::GET, ONE, view, read)
            .described(Operation::new("readGateway", TAG, "Get a gateway").ok::<Gateway>()),
        Route::new(Method::POST, TEST, admin, test).described(
            Operation::new("testGateway", TAG, "Send a test message through a gateway")
                .body::<NewGatewayTest>()
                .response::<GatewayTest>(StatusCode::CREATED, &["Location"]),
        ),
    ]
}

fn find(engine: &Engine, name: &Slug) -> Result<Arc<redflash_core::gateway::Gateway>, StoreError> {
    let found = engine.gateways().get(name).cloned();
    found.ok_or_else(|| missing(name))
}

fn missing(name: &Slug) -> StoreError {
    let what = format!("gateway/{name}");
    StoreError::Missing { what }
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Page<GatewaySummary>, Problem> {
    let (engine, limit) = (&app.engine, query.limit()?);
    let after: Option<Slug> = query.read("cursor")?;
    let statuses = engine.gateway_statuses().await?;
    let gateways = engine.gateways();
    let mut all = gateways.iter();
    if let Some(after) = &after {
        // Nothing follows a gateway that was removed.
        all.find(|gateway| gateway.name == *after);
    }
    let mut found: Vec<_> = all.collect();
    let next = truncate(&mut found, limit, |gateway| gateway.name.clone());
    let item = |gateway: &Arc<_>| GatewayView::new(gateway, statuses.of(gateway)).into();
    let items = found.into_iter().map(item).collect();
    Ok(Page { items, next })
}

async fn read(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<Gateway>, Problem> {
    let gateway = find(&app.engine, &name)?;
    let statuses = app.engine.gateway_statuses().await?;
    let callbacks = app.config.callbacks(&name);
    let details = GatewayDetails::new(&gateway, &statuses, callbacks);
    Ok(Json(details.into()))
}

async fn test(
    State(app): State<Arc<App>>,
    Named(name): Named,
    caller: Caller,
    Input(body): Input<NewGatewayTest>,
) -> Result<Response, Problem> {
    let gateway = find(&app.engine, &name)?;
    let to = app.engine.parse_test_address(&gateway, &body.to);
    let to = to.map_err(|error| Problem::field("to", error.to_string()))?;
    let message = body
        .message
        .0
        .as_deref()
        .unwrap_or(alert::GATEWAY_TEST_MESSAGE);
    if message.chars().all(|c| c.is_whitespace() || c.is_control()) {
        return Err(Problem::field("message", "must not be blank"));
    }
    let test = send_test(&app.engine, &name, to, message, &caller).await?;
    let location = format!("/api/v1/notifications/{}", test.notification);
    let body = Json(GatewayTest::from(GatewayTestView::from(&test)));
    Ok((StatusCode::CREATED, [(LOCATION, location)], body).into_response())
}

async fn send_test(
    engine: &Engine,
    name: &Slug,
    to: Address,
    message: &str,
    caller: &Caller,
) -> Result<redflash_core::engine::GatewayTest, Problem> {
    let by = caller.actor();
    let (engine, gateway, message) = (engine.clone(), name.clone(), message.to_owned());
    let test = async move { engine.test_gateway(&gateway, to, &message, &by).await };
    let test = alert::run_detached(test).await??;
    Ok(test.ok_or_else(|| missing(name))?)
}
