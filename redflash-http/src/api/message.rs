//! `POST /api/v1/{contacts,groups,events}/…/messages`: an alert is raised. `POST …/explain`: who
//! would be told if it were.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::{Arguments, Plan, Raise, Slug};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::alert;
use crate::alert::RaiseOutcome;
use crate::api::extract::json_body::Input;
use crate::api::extract::path::Named;
use crate::api::extract::query::Query;
use crate::api::openapi::operation::Operation;
use crate::api::problem::Problem;
use crate::app::App;
use crate::auth::api_key;
use crate::error::RequestError;
use crate::extract::idempotency;
use crate::off_thread;
use crate::route::{Auth, Permission, Route};

const TAG: &str = "Alerts";

/// What a body says of an alert.
trait Alert: DeserializeOwned + Send + 'static {
    /// The alert, at what the path names.
    fn at(self, slug: Slug) -> Raise;
}

/// What is said to a contact.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToContact {
    message: String,
}

/// What is said to everybody in a group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToGroup {
    message: String,
}

/// What fills in the words of an event.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfEvent {
    #[serde(default)]
    arguments: Arguments,
    /// True if the alert is refused when arguments are missing or unused.
    #[serde(default)]
    strict: bool,
}

impl Alert for ToContact {
    fn at(self, slug: Slug) -> Raise {
        Raise::contact(slug, self.message)
    }
}

impl Alert for ToGroup {
    fn at(self, slug: Slug) -> Raise {
        Raise::group(slug, self.message)
    }
}

impl Alert for OfEvent {
    fn at(self, slug: Slug) -> Raise {
        Raise::event(slug, self.arguments).strict(self.strict)
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        raising::<ToContact>(
            "/api/v1/contacts/{slug}/messages",
            Operation::new("raiseContact", TAG, "Tells a contact").takes("Text"),
        ),
        raising::<ToGroup>(
            "/api/v1/groups/{slug}/messages",
            Operation::new("raiseGroup", TAG, "Tells everybody in a group").takes("Text"),
        ),
        raising::<OfEvent>(
            "/api/v1/events/{slug}/messages",
            Operation::new("raiseEvent", TAG, "Tells everybody whom an event names")
                .takes("Filling"),
        ),
        explaining::<ToContact>(
            "/api/v1/contacts/{slug}/explain",
            Operation::new(
                "explainContact",
                TAG,
                "Says what telling a contact would do",
            )
            .takes("ExplainedText"),
        ),
        explaining::<ToGroup>(
            "/api/v1/groups/{slug}/explain",
            Operation::new("explainGroup", TAG, "Says what telling a group would do")
                .takes("ExplainedText"),
        ),
        explaining::<OfEvent>(
            "/api/v1/events/{slug}/explain",
            Operation::new("explainEvent", TAG, "Says what raising an event would do")
                .takes("Filling"),
        ),
    ]
}

fn raising<T: Alert>(path: &'static str, operation: Operation) -> Route {
    let operation = operation
        .asks(&["wait"])
        .reads(&["Idempotency-Key"])
        .answers(StatusCode::CREATED, Some("Raised".into()), &["Location"])
        .answers(StatusCode::ACCEPTED, Some("Raised".into()), &["Location"])
        .refuses(&[403, 409, 429]);
    Route::new(
        Method::POST,
        path,
        Auth::ApiKey(Permission::Any),
        raise::<T>,
    )
    .described(operation)
}

fn explaining<T: Alert>(path: &'static str, operation: Operation) -> Route {
    let operation = operation.gives("Plan");
    Route::new(
        Method::POST,
        path,
        Auth::ApiKey(Permission::View),
        explain::<T>,
    )
    .described(operation)
}

async fn raise<T: Alert>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    query: Query,
    headers: HeaderMap,
    Input(alert): Input<T>,
) -> Result<Response, Problem> {
    let wait = query.text("wait").map(|text| {
        let wrong = || Problem::field("wait", "write a length of time, such as wait=10s");
        alert::parse_duration(text).ok_or_else(wrong)
    });
    let wait = alert::wait_limit(&app.config, wait.transpose()?);
    let raise = alert.at(slug);
    let target = raise.target().clone();
    // Looked at again, since the raise has to know as of which version of the directory it holds.
    let secret = api_key::bearer(&headers).ok_or_else(RequestError::missing_key)?;
    let checked = api_key::check_to_raise(&app.engine, secret, Some(&target)).await?;
    let key = &checked.key;
    if !key.may_raise(&target) {
        let detail = format!("the key {} may not raise {target}", key.slug);
        return Err(Problem::forbidden(detail));
    }
    let promise = idempotency::read_key(&headers)?;
    let outcome = alert::raise(&app, key, raise.with_key(&checked), promise, wait).await;
    let outcome = outcome.map_err(|failed| Problem::from(failed).shown_to(key))?;
    let status = status(&outcome);
    let told = outcome.into_response(key);
    let place = format!("/api/v1/notifications/{}", told.notification_id);
    Ok((status, [(LOCATION, place)], Json(told)).into_response())
}

/// 201 when everybody is told as far as is known, 202 when somebody is not, or not yet.
fn status(outcome: &RaiseOutcome) -> StatusCode {
    let waits = outcome.sent().is_some_and(|(sent, all)| sent < all);
    if waits || outcome.has_unreached() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CREATED
    }
}

async fn explain<T: Alert>(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    Input(alert): Input<T>,
) -> Result<Json<Plan>, Problem> {
    let (engine, raise) = (app.engine.clone(), alert.at(slug));
    let is_large = off_thread::is_large(raise.content());
    let plan = off_thread::run(is_large, async move { engine.explain(&raise).await });
    Ok(Json(plan.await??))
}
