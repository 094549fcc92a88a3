//! `POST /api/v1/{contacts,groups,events}/…/messages` raises an alert, and `POST …/explain` shows its
//! plan.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::message::Raise;
use redflash_core::model::Slug;
use redflash_core::template::Arguments;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::alert;
use crate::alert::RaiseOutcome;
use crate::api::extract::json_body::Input;
use crate::api::extract::path::Named;
use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::plan::Plan;
use crate::api::problem::Problem;
use crate::api::raised::Raised;
use crate::app::App;
use crate::auth::api_key;
use crate::error::RequestError;
use crate::extract::idempotency;
use crate::off_thread;
use crate::route::{Auth, Permission, Route};

const TAG: &str = "Alerts";

/// The content of an alert.
trait Content: DeserializeOwned + Send + 'static {
    /// Returns the raise to a target of this slug.
    fn raise(self, slug: Slug) -> Raise;
}

/// A message for a contact or a group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    /// Literal text.
    #[schemars(extend(
        "minLength" = 1,
        "pattern" = r"[^\s\u0001-\u001f\u007f-\u009f]",
        "examples" = ["The disk of db1 is full."],
    ))]
    message: String,
}

/// A message to explain. It may be empty.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "only its schema is used: requests are read as for a raise"
)]
struct ExplainedMessage {
    /// Literal text.
    #[schemars(extend("examples" = ["The disk of db1 is full."]))]
    message: String,
}

/// Arguments for an event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventArguments {
    /// Arguments for the templates: names, and values of any type.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "host": "db1" }]))]
    arguments: Arguments,
    /// True to reject the raise if arguments are missing or unused.
    #[serde(default)]
    strict: bool,
}

/// A message for a contact.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct ToContact(NewMessage);

/// A message for a group.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct ToGroup(NewMessage);

impl Content for ToContact {
    fn raise(self, slug: Slug) -> Raise {
        Raise::contact(slug, self.0.message)
    }
}

impl Content for ToGroup {
    fn raise(self, slug: Slug) -> Raise {
        Raise::group(slug, self.0.message)
    }
}

impl Content for EventArguments {
    fn raise(self, slug: Slug) -> Raise {
        Raise::event(slug, self.arguments).strict(self.strict)
    }
}

pub(super) fn routes() -> Vec<Route> {
    let operation = |id: &'static str, summary: &'static str| Operation::new(id, TAG, summary);
    vec![
        raising::<ToContact>(
            "/api/v1/contacts/{slug}/messages",
            operation("raiseContact", "Notify a contact").body::<NewMessage>(),
        ),
        raising::<ToGroup>(
            "/api/v1/groups/{slug}/messages",
            operation("raiseGroup", "Notify all contacts of a group").body::<NewMessage>(),
        ),
        raising::<EventArguments>(
            "/api/v1/events/{slug}/messages",
            operation("raiseEvent", "Raise an event").body::<EventArguments>(),
        ),
        explaining::<ToContact>(
            "/api/v1/contacts/{slug}/explain",
            operation(
                "explainContact",
                "Explain a message to a contact without sending it",
            )
            .body::<ExplainedMessage>(),
        ),
        explaining::<ToGroup>(
            "/api/v1/groups/{slug}/explain",
            operation(
                "explainGroup",
                "Explain a message to a group without sending it",
            )
            .body::<ExplainedMessage>(),
        ),
        explaining::<EventArguments>(
            "/api/v1/events/{slug}/explain",
            operation("explainEvent", "Explain an event without raising it")
                .body::<EventArguments>(),
        ),
    ]
}

fn raising<T: Content>(path: &'static str, operation: Operation) -> Route {
    let operation = operation
        .parameters(&["wait"])
        .headers(&["Idempotency-Key"])
        .response::<Raised>(StatusCode::CREATED, &["Location"])
        .response::<Raised>(StatusCode::ACCEPTED, &["Location"])
        .errors(&[403, 409, 429]);
    Route::new(
        Method::POST,
        path,
        Auth::ApiKey(Permission::Any),
        raise::<T>,
    )
    .described(operation)
}

fn explaining<T: Content>(path: &'static str, operation: Operation) -> Route {
    let operation = operation.ok::<Plan>();
    Route::new(
        Method::POST,
        path,
        Auth::ApiKey(Permission::View),
        explain::<T>,
    )
    .described(operation)
}

async fn raise<T: Content>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    query: Query,
    headers: HeaderMap,
    Input(content): Input<T>,
) -> Result<Response, Problem> {
    let wait = query.text("wait").map(|text| {
        let invalid = || Problem::field("wait", "must be a duration, such as wait=10s");
        alert::parse_duration(text).ok_or_else(invalid)
    });
    let wait = alert::wait_limit(&app.config, wait.transpose()?);
    let raise = content.raise(slug);
    let target = raise.target().clone();
    // Read again, since the raise needs the version of the directory at which the key was valid.
    let secret = api_key::bearer(&headers).ok_or_else(RequestError::missing_key)?;
    let checked = api_key::check_to_raise(&app.engine, secret, Some(&target)).await?;
    let key = &checked.key;
    if !key.may_raise(&target) {
        let detail = format!("the key {} is not allowed to raise {target}", key.slug);
        return Err(Problem::forbidden(detail));
    }
    let idempotency_key = idempotency::read_key(&headers)?;
    let raise = raise.with_key(&checked);
    let outcome = alert::raise(&app, key, raise, idempotency_key, wait).await;
    let outcome = outcome.map_err(|failure| Problem::from(failure).shown_to(key))?;
    let status = status(&outcome);
    let raised = Raised::new(&outcome, key);
    Ok((status, raised.location(), Json(raised)).into_response())
}

/// Returns 201 if all contacts are notified as far as known, 202 if some are not, or not yet.
fn status(outcome: &RaiseOutcome) -> StatusCode {
    let waits = outcome.sent().is_some_and(|(sent, all)| sent < all);
    if waits || outcome.has_unreached() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CREATED
    }
}

async fn explain<T: Content>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    Input(content): Input<T>,
) -> Result<Json<Plan>, Problem> {
    let (engine, raise) = (app.engine.clone(), content.raise(slug));
    let is_large = off_thread::is_large(raise.content());
    let plan = off_thread::run(is_large, async move { engine.explain(&raise).await });
    Ok(Json(plan.await??.into()))
}
