//! `/admin/gateways`: the gateways, their state, and test messages.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::engine::GatewayTestRef;
use redflash_core::gateway::{Gateway, GatewayDetails, GatewayHealth, GatewayStatus};
use redflash_core::message::Idempotency;
use redflash_core::model::{Address, NotificationId, Slug};
use redflash_core::store::StoreError;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::admin::gateway::attempt_chart::AttemptCounts;
use crate::admin::gateway::facts;
use crate::admin::gateway::facts::Fact;
use crate::admin::gateway::state::State;
use crate::admin::ui::field::Field;
use crate::admin::ui::form::{Form, once_token};
use crate::admin::ui::form_error::{FieldErrors, FormError, FormErrors};
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Empty;
use crate::admin::ui::path::SlugPath;
use crate::admin::ui::redirect::redirect;
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::alert;
use crate::last_day;
use crate::route::{Auth, Permission, Route};

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    let admin = Auth::Session(Permission::Admin);
    vec![
        Route::new(Method::GET, urls::GATEWAYS, view, list),
        Route::new(Method::GET, "/admin/gateways/{slug}", view, page),
        Route::new(Method::POST, "/admin/gateways/{slug}/test", admin, test),
    ]
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
    prefixes: String,
    state: State,
    last_error: Option<String>,
    waiting: u64,
    accepted: u64,
    not_accepted: u64,
}

async fn list(context: PageContext) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let statuses = engine.gateway_statuses().await?;
    let recent = last_day::recent(engine).await?;
    let row = |gateway: &Arc<Gateway>| {
        let counts = AttemptCounts::of(&recent, &gateway.name, context.now());
        let status = statuses.of(gateway);
        Row {
            url: urls::gateway(&gateway.name),
            name: gateway.name.to_string(),
            channel: gateway.channel.kind().to_string(),
            prefixes: facts::prefixes(gateway),
            state: State::from(status.state),
            last_error: status.last_error,
            waiting: status.waiting,
            accepted: counts.accepted,
            not_accepted: counts.not_accepted(),
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
    Ok(context.page("gateways", Section::Gateways, "Gateways", page))
}

#[derive(Serialize)]
struct Page {
    name: String,
    channel: String,
    state: State,
    status: GatewayStatus,
    facts: Vec<Fact>,
    lanes: Vec<LaneRow>,
    attempts: AttemptCounts,
    log: String,
    test_result: Option<TestResult>,
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

/// The result of a test message.
#[derive(Serialize)]
struct TestResult {
    state: &'static str,
    text: String,
    url: String,
}

/// The form of a test message.
#[derive(Serialize)]
struct Test {
    action: String,
    once: String,
    to: Field,
    message: Field,
}

async fn page(context: PageContext, SlugPath(name): SlugPath) -> Result<Response, PageError> {
    show(&context, &name, &Form::default(), None).await
}

/// Shows a gateway, with the form of a test message as it was filled in.
async fn show(
    context: &PageContext,
    name: &Slug,
    form: &Form,
    errors: Option<&FormErrors>,
) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let gateway = find(context, name)?;
    let statuses = engine.gateway_statuses().await?;
    let status = statuses.of(&gateway);
    let recent = last_day::recent(engine).await?;
    let page = Page {
        name: name.to_string(),
        channel: gateway.channel.kind().to_string(),
        state: State::from(status.state),
        status,
        facts: facts::of(&gateway, &context.app.config),
        lanes: lanes(statuses.lanes(name)),
        attempts: AttemptCounts::of(&recent, name, context.now()),
        log: format!("{}?gateway={name}", urls::LOG),
        test_result: test_result(context, name).await?,
        test: context.is_admin().then(|| Test {
            action: format!("{}/test", urls::gateway(name)),
            once: once_token(),
            to: to(&gateway, form, errors),
            message: message(form, errors),
        }),
    };
    let status = errors.map_or(StatusCode::OK, |errors| errors.status);
    Ok(context.page_with(status, "gateway", Section::Gateways, name.as_str(), page))
}

fn find(context: &PageContext, name: &Slug) -> Result<Arc<Gateway>, PageError> {
    let found = context.app.engine.gateways().get(name).cloned();
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

fn to(gateway: &Gateway, form: &Form, errors: Option<&FormErrors>) -> Field {
    Field::text("to", "To")
        .value(form.get("to"))
        .hint(format!(
            "An address for the {} channel.",
            gateway.channel.kind()
        ))
        .error(errors.and_then(|errors| errors.error("to")))
        .required()
}

fn message(form: &Form, errors: Option<&FormErrors>) -> Field {
    let text = if form.has("message") {
        form.get("message")
    } else {
        alert::GATEWAY_TEST_MESSAGE
    };
    Field::area("message", "Message")
        .value(text)
        .error(errors.and_then(|errors| errors.error("message")))
        .required()
}

/// Returns the result of the test message in the query.
async fn test_result(context: &PageContext, name: &Slug) -> Result<Option<TestResult>, StoreError> {
    let Ok(id) = context.query.get("test").parse::<NotificationId>() else {
        return Ok(None);
    };
    let found = context.app.engine.store().notification(id).await?;
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
        TestResult {
            state: record.delivery.state.as_str(),
            text,
            url: urls::notification(id),
        }
    }))
}

async fn test(
    context: PageContext,
    SlugPath(name): SlugPath,
    form: Form,
) -> Result<Response, PageError> {
    let gateway = find(&context, &name)?;
    let (to, text) = match parse(&context.app.engine, &gateway, &form) {
        Ok(parsed) => parsed,
        Err(error) => return show(&context, &name, &form, Some(&error.form()?)).await,
    };
    let idempotency = idempotency(&form, &to, &text);
    let sent = run_test(&context, &name, to, text, idempotency).await?;
    Ok(redirect(&format!(
        "{}?test={}",
        urls::gateway(&name),
        sent.notification
    )))
}

fn parse(engine: &Engine, gateway: &Gateway, form: &Form) -> Result<(Address, String), FormError> {
    let mut errors = FieldErrors::default();
    let to = errors.take(
        "to",
        engine.parse_test_address(gateway, form.get("to").trim()),
    );
    let text = form.given("message").map(|text| text.replace("\r\n", "\n"));
    if text.is_none() {
        errors.add("message", "enter a message");
    }
    match (to, text) {
        (Some(to), Some(text)) => Ok((to, text)),
        _ => Err(errors.into()),
    }
}

/// Returns the key of one test: the same form with other contents is another test.
fn idempotency(form: &Form, to: &Address, text: &str) -> Idempotency {
    let once = form.once();
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

async fn run_test(
    context: &PageContext,
    name: &Slug,
    to: Address,
    text: String,
    idempotency: Idempotency,
) -> Result<GatewayTestRef, PageError> {
    let (engine, by, name) = (context.app.engine.clone(), context.actor(), name.clone());
    let run = async move {
        engine
            .test_gateway_once(&name, to, &text, &idempotency, &by)
            .await
    };
    let sent = alert::run_detached(run).await??;
    sent.ok_or_else(|| PageError::missing("gateway with that name"))
}
