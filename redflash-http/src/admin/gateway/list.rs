//! `/admin/gateways`: what messages go through, and whether it works.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{
    Address, Engine, Gateway, GatewayDetails, GatewayHealth, GatewayStatus, GatewayTestRef,
    Idempotency, NotificationId, Slug, StoreError, Timestamp,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::admin::gateway::attempt_chart::Outcomes;
use crate::admin::gateway::facts;
use crate::admin::gateway::facts::Fact;
use crate::admin::gateway::state::State;
use crate::admin::ui::field::Field;
use crate::admin::ui::form::Form;
use crate::admin::ui::form_error::{Faults, Refused, Rejection};
use crate::admin::ui::page;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Empty;
use crate::admin::ui::path::Named;
use crate::admin::ui::templates::Section;
use crate::alert;
use crate::last_day;
use crate::route::{Auth, Permission, Route};

/// The list.
const LIST: &str = "/admin/gateways";

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, LIST, view, list),
        Route::new(Method::GET, "/admin/gateways/{slug}", view, page),
        Route::new(Method::POST, "/admin/gateways/{slug}/test", admin, test),
    ]
}

fn url(name: &Slug) -> String {
    format!("{LIST}/{name}")
}

#[derive(Serialize)]
struct List {
    rows: Vec<Row>,
    empty: Empty,
}

#[derive(Serialize)]
struct Row {
    url: String,
    name: String,
    channel: String,
    used_for: String,
    state: State,
    last_error: Option<String>,
    waiting: u64,
    taken: u64,
    not_taken: u64,
}

async fn list(desk: PageContext) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
    let statuses = engine.gateway_statuses().await?;
    let recent = last_day::recent(engine).await?;
    let row = |gateway: &Arc<Gateway>| {
        let outcomes = Outcomes::of(&recent, &gateway.name, desk.now());
        let status = statuses.of(gateway);
        Row {
            url: url(&gateway.name),
            name: gateway.name.to_string(),
            channel: gateway.channel.kind().to_string(),
            used_for: facts::used_for(gateway),
            state: State::from(status.state),
            last_error: status.last_error,
            waiting: status.waiting,
            taken: outcomes.taken,
            not_taken: outcomes.not_taken(),
        }
    };
    let page = List {
        rows: engine.gateways().iter().map(row).collect(),
        empty: Empty {
            title: "No gateways yet".into(),
            text: "A gateway sends the messages of one channel. Add one to the configuration and restart \
                RedFlash."
                .into(),
            action: None,
        },
    };
    Ok(desk.page("gateways", Section::Gateways, "Gateways", page))
}

#[derive(Serialize)]
struct Page {
    name: String,
    channel: String,
    state: State,
    status: GatewayStatus,
    facts: Vec<Fact>,
    lanes: Vec<LaneRow>,
    outcomes: Outcomes,
    log: String,
    trial: Option<GatewayTest>,
    test: Option<Test>,
}

/// A gateway as seen from one lane.
#[derive(Serialize)]
struct LaneRow {
    lane: String,
    state: State,
    since: Option<Timestamp>,
    last_error: Option<String>,
    next_try_at: Option<Timestamp>,
    in_flight: u32,
}

/// What came of a test.
#[derive(Serialize)]
struct GatewayTest {
    state: &'static str,
    text: String,
    url: String,
}

/// The form of a test.
#[derive(Serialize)]
struct Test {
    action: String,
    once: String,
    to: Field,
    message: Field,
}

async fn page(desk: PageContext, Named(name): Named) -> Result<Response, PageError> {
    show(&desk, &name, &Form::default(), None).await
}

/// The page of a gateway, with the form of a test as it was filled in.
async fn show(
    desk: &PageContext,
    name: &Slug,
    form: &Form,
    rejection: Option<&Rejection>,
) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
    let gateway = find(desk, name)?;
    let statuses = engine.gateway_statuses().await?;
    let status = statuses.of(&gateway);
    let recent = last_day::recent(engine).await?;
    let page = Page {
        name: name.to_string(),
        channel: gateway.channel.kind().to_string(),
        state: State::from(status.state),
        status,
        facts: facts::of(&gateway, &desk.app.config),
        lanes: lanes(statuses.lanes(name)),
        outcomes: Outcomes::of(&recent, name, desk.now()),
        log: format!("{}?gateway={name}", crate::admin::log::list::LIST),
        trial: trial(desk, name).await?,
        test: desk.is_admin().then(|| Test {
            action: format!("{}/test", url(name)),
            once: PageContext::once(),
            to: to(&gateway, form, rejection),
            message: message(form, rejection),
        }),
    };
    let status = rejection.map_or(StatusCode::OK, |rejection| rejection.status);
    Ok(desk.page_with(status, "gateway", Section::Gateways, name.as_str(), page))
}

fn find(desk: &PageContext, name: &Slug) -> Result<Arc<Gateway>, PageError> {
    let found = desk.app.engine.gateways().get(name).cloned();
    found.ok_or_else(|| PageError::missing(format!("gateway {name}")))
}

fn lanes(lanes: Vec<GatewayHealth>) -> Vec<LaneRow> {
    let row = |one: GatewayHealth| LaneRow {
        lane: one.lane.to_string(),
        state: State::from(one.state),
        since: one.since,
        last_error: one.last_error,
        next_try_at: one.next_try_at,
        in_flight: one.in_flight,
    };
    let shown = lanes.into_iter().take(GatewayDetails::LANES);
    shown.map(row).collect()
}

fn to(gateway: &Gateway, form: &Form, rejection: Option<&Rejection>) -> Field {
    Field::text("to", "To")
        .value(form.get("to"))
        .hint(format!(
            "An address for the {} channel.",
            gateway.channel.kind()
        ))
        .error(rejection.and_then(|rejection| rejection.error("to")))
        .required()
}

fn message(form: &Form, rejection: Option<&Rejection>) -> Field {
    let text = if form.has("message") {
        form.get("message")
    } else {
        alert::OF_GATEWAY
    };
    Field::area("message", "Message")
        .value(text)
        .error(rejection.and_then(|rejection| rejection.error("message")))
        .required()
}

/// What came of the test that the query names.
async fn trial(desk: &PageContext, name: &Slug) -> Result<Option<GatewayTest>, StoreError> {
    let Ok(id) = desk.query.get("trial").parse::<NotificationId>() else {
        return Ok(None);
    };
    let found = desk.app.engine.store().notification(id).await?;
    let record = found.and_then(|(_, records)| records.into_iter().next());
    let ours = record.filter(|record| {
        let gateway = record.delivery.gateway.as_ref();
        gateway.is_none_or(|gateway| gateway == name)
    });
    Ok(ours.map(|record| {
        let attempt = record.attempts_made.last();
        let took = attempt.map(|one| one.ended_at.since(one.started_at).as_millis());
        let text = match (took, &*record.delivery.detail) {
            (None, _) => "Sending…".to_owned(),
            (Some(took), "") => format!("After {took} ms."),
            (Some(took), detail) => format!("After {took} ms: {detail}"),
        };
        GatewayTest {
            state: record.delivery.state.as_str(),
            text,
            url: crate::admin::log::list::url(id),
        }
    }))
}

async fn test(desk: PageContext, Named(name): Named, form: Form) -> Result<Response, PageError> {
    let gateway = find(&desk, &name)?;
    let (to, text) = match typed(&desk.app.engine, &gateway, &form) {
        Ok(typed) => typed,
        Err(refused) => return show(&desk, &name, &form, Some(&refused.form()?)).await,
    };
    let promise = promise(&form, &to, &text);
    let tried = tried(&desk, &name, to, text, promise).await?;
    Ok(page::go(&format!(
        "{}?trial={}",
        url(&name),
        tried.notification
    )))
}

fn typed(engine: &Engine, gateway: &Gateway, form: &Form) -> Result<(Address, String), Refused> {
    let mut faults = Faults::default();
    let to = faults.take(
        "to",
        engine.parse_test_address(gateway, form.get("to").trim()),
    );
    let text = form.given("message").map(|text| text.replace("\r\n", "\n"));
    if text.is_none() {
        faults.add("message", "enter a message");
    }
    match (to, text) {
        (Some(to), Some(text)) => Ok((to, text)),
        _ => Err(faults.into()),
    }
}

/// One form is one test; the same form with something else in it is another.
fn promise(form: &Form, to: &Address, text: &str) -> Idempotency {
    let once = form
        .given("once")
        .map_or_else(PageContext::once, str::to_owned);
    let mut digest = Sha256::new();
    for part in [&*once, to.as_str(), text] {
        digest.update(part);
        digest.update("\0");
    }
    let digest = digest.finalize();
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    Idempotency {
        key: format!("test/{}", digits.collect::<String>()),
        digest: String::new(),
    }
}

async fn tried(
    desk: &PageContext,
    name: &Slug,
    to: Address,
    text: String,
    promise: Idempotency,
) -> Result<GatewayTestRef, PageError> {
    let (engine, by, name) = (desk.app.engine.clone(), desk.actor(), name.clone());
    let trying = async move {
        engine
            .test_gateway_once(&name, to, &text, &promise, &by)
            .await
    };
    let tried = alert::run_detached(trying).await??;
    tried.ok_or_else(|| PageError::missing("gateway with that name"))
}
