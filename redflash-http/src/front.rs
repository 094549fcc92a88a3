//! Which request goes where.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use redflash_core::{ApiKey, Engine, Slug, Target};

use crate::callback::Forgeries;
use crate::health::Readiness;
use crate::limit::Limit;
use crate::refusal::{Problem, Refusal};
use crate::{HttpConfig, callback, health, inspect, metrics, notification, raise, request};

/// What the handlers share.
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) config: HttpConfig,
    pub(crate) readiness: Readiness,
    pub(crate) forgeries: Forgeries,
    limit: Option<Limit>,
}

/// The kind of a target, as in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Contact,
    Group,
    Event,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Group => "group",
            Self::Event => "event",
        }
    }

    pub(crate) const fn target(self, slug: Slug) -> Target {
        match self {
            Self::Contact => Target::Contact(slug),
            Self::Group => Target::Group(slug),
            Self::Event => Target::Event(slug),
        }
    }
}

impl App {
    /// Refuses a key that raises too much.
    pub(crate) fn limit(&self, key: &ApiKey) -> Result<(), Refusal> {
        match &self.limit {
            Some(limit) => limit.check(key, self.engine.nodes()),
            None => Ok(()),
        }
    }
}

/// Every URL of the server, as a service of its own: for programs that have a server already.
pub fn router(engine: Engine, config: HttpConfig) -> Router {
    let app = Arc::new(App {
        limit: config.rate_per_key.map(Limit::new),
        readiness: Readiness::default(),
        forgeries: Forgeries::default(),
        engine,
        config,
    });
    // Each with and without a slash at its end, served in place: a redirect would turn an old
    // client's POST into a GET, and lose the alert.
    Router::new()
        .route("/contact/{slug}", any(contact))
        .route("/contact/{slug}/", any(contact))
        .route("/group/{slug}", any(group))
        .route("/group/{slug}/", any(group))
        .route("/event/{slug}", any(event))
        .route("/event/{slug}/", any(event))
        .route("/ack", any(callback::ack))
        .route("/ack/", any(callback::ack))
        .route("/ack/{gateway}", any(callback::ack_of))
        .route("/ack/{gateway}/", any(callback::ack_of))
        .route("/ack/{gateway}/{secret}", any(callback::ack_secret))
        .route("/ack/{gateway}/{secret}/", any(callback::ack_secret))
        .route("/inbound", any(callback::inbound))
        .route("/inbound/", any(callback::inbound))
        .route("/inbound/{gateway}", any(callback::inbound_of))
        .route("/inbound/{gateway}/", any(callback::inbound_of))
        .route("/inbound/{gateway}/{secret}", any(callback::inbound_secret))
        .route(
            "/inbound/{gateway}/{secret}/",
            any(callback::inbound_secret),
        )
        .route("/api/v1/notifications/{id}", get(notification::show))
        .route("/api/{*rest}", any(no_such_resource))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::behind_key))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(request::follow))
        .with_state(app)
}

type Named = Result<Path<String>, PathRejection>;

async fn contact(State(app): State<Arc<App>>, slug: Named, request: Request) -> Response {
    serve(&app, Kind::Contact, slug, request).await
}

async fn group(State(app): State<Arc<App>>, slug: Named, request: Request) -> Response {
    serve(&app, Kind::Group, slug, request).await
}

async fn event(State(app): State<Arc<App>>, slug: Named, request: Request) -> Response {
    serve(&app, Kind::Event, slug, request).await
}

async fn serve(app: &App, kind: Kind, slug: Named, request: Request) -> Response {
    // A slug that is no text is one that nobody has; the key is judged before it.
    let slug = slug.map_or_else(|_| "?".to_owned(), |Path(slug)| slug);
    let served = match *request.method() {
        Method::POST => raise::raise(app, kind, &slug, request).await,
        Method::GET if kind != Kind::Event => inspect::inspect(app, kind, &slug, request).await,
        _ => Err(Refusal::method()),
    };
    served.unwrap_or_else(IntoResponse::into_response)
}

async fn nowhere() -> Refusal {
    Refusal {
        status: StatusCode::NOT_FOUND,
        ..Refusal::bad("not_found", "There is nothing at this URL")
    }
}

async fn no_such_resource() -> Problem {
    let detail = "there is no such resource";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}

async fn wrong_method() -> Problem {
    let detail = "this resource does not have that method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
