//! Which request goes where.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use redflash_core::{ApiKey, Engine, Slug, Target};
use tracing::warn;

#[cfg(feature = "oidc")]
use crate::admin::OpenId;
use crate::admin::{StreamSlots, Templates, Throttle};
use crate::api::problem::Problem;
use crate::base_path::{BasePath, BasePathError};
use crate::callback::Forgeries;
use crate::error::RequestError;
use crate::extract::body;
use crate::extract::body::Bounds;
use crate::extract::body_memory::BodyMemory;
use crate::legacy::error::LegacyError;
use crate::legacy::{inspect, raise};
use crate::middleware::key_usage::KeyUses;
use crate::middleware::rate_limit::Limit;
use crate::middleware::request_log;
use crate::ops::health::Readiness;
use crate::ops::{health, metrics};
use crate::route;
use crate::route::{Auth, Route};
use crate::{HttpConfig, admin, callback};

/// What the handlers share.
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) config: HttpConfig,
    /// The path below which others see the server.
    pub(crate) base: BasePath,
    pub(crate) readiness: Readiness,
    body_memory: BodyMemory,
    pub(crate) forgeries: Forgeries,
    key_uses: Arc<KeyUses>,
    pub(crate) views: Templates,
    pub(crate) throttle: Throttle,
    #[cfg(feature = "oidc")]
    pub(crate) openid: Option<OpenId>,
    pub(crate) live: StreamSlots,
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
    /// Notes that a key was used.
    pub(crate) fn used(&self, key: &ApiKey) {
        self.key_uses.note(&self.engine, &key.slug);
    }

    /// The bounds of a body.
    ///
    /// * `is_known` - whether its sender has shown a valid key: others send less.
    pub(crate) fn bounds(&self, is_known: bool) -> Bounds {
        let most = self.config.max_body;
        Bounds {
            bytes: if is_known {
                most
            } else {
                most.min(body::UNKNOWN_SENDER)
            },
            time: self.config.body_timeout,
            memory: self.body_memory.reservation(is_known),
        }
    }

    /// Refuses a key that raises too much.
    pub(crate) fn limit(&self, key: &ApiKey) -> Result<(), RequestError> {
        match &self.limit {
            Some(limit) => limit.check(key, self.engine.nodes()),
            None => Ok(()),
        }
    }
}

/// Every URL of the server, as a service of its own: for programs that have a server already.
///
/// # Panics
///
/// If a page's template were broken, which no configuration and no input can bring about.
pub fn router(engine: Engine, config: HttpConfig) -> Router {
    let base = base(&config);
    let app = Arc::new(App {
        base: base.clone(),
        limit: config.rate_per_key.map(Limit::new),
        readiness: Readiness::default(),
        body_memory: BodyMemory::default(),
        forgeries: Forgeries::default(),
        key_uses: Arc::default(),
        throttle: Throttle::default(),
        #[cfg(feature = "oidc")]
        openid: config.admin.oidc.clone().map(OpenId::new),
        live: StreamSlots::default(),
        views: Templates::new().expect("the templates are those that the tests compile"),
        engine,
        config,
    });
    let routes = route::mount(&app)
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(request_log::follow))
        .with_state(app);
    base.serve(routes)
}

fn base(config: &HttpConfig) -> BasePath {
    let public_url = config.public_url.as_deref();
    let base = public_url.map(BasePath::of).transpose();
    let unused = |fault: BasePathError| {
        warn!(error = %fault, "the path of the public URL is not used");
        BasePath::default()
    };
    base.map_or_else(unused, Option::unwrap_or_default)
}

/// What is not for people and not below `/api/v1`.
///
/// Each raising URL with and without a slash at its end, served in place: a redirect would turn an
/// old client's POST into a GET, and lose the alert.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::any("/contact/{slug}", Auth::Handler, contact),
        Route::any("/contact/{slug}/", Auth::Handler, contact),
        Route::any("/group/{slug}", Auth::Handler, group),
        Route::any("/group/{slug}/", Auth::Handler, group),
        Route::any("/event/{slug}", Auth::Handler, event),
        Route::any("/event/{slug}/", Auth::Handler, event),
        Route::any("/ack", Auth::Handler, callback::ack),
        Route::any("/ack/", Auth::Handler, callback::ack),
        Route::any("/ack/{gateway}", Auth::Handler, callback::ack_of),
        Route::any("/ack/{gateway}/", Auth::Handler, callback::ack_of),
        Route::any(
            "/ack/{gateway}/{secret}",
            Auth::Handler,
            callback::ack_secret,
        ),
        Route::any(
            "/ack/{gateway}/{secret}/",
            Auth::Handler,
            callback::ack_secret,
        ),
        Route::any("/inbound", Auth::Handler, callback::inbound),
        Route::any("/inbound/", Auth::Handler, callback::inbound),
        Route::any("/inbound/{gateway}", Auth::Handler, callback::inbound_of),
        Route::any("/inbound/{gateway}/", Auth::Handler, callback::inbound_of),
        Route::any(
            "/inbound/{gateway}/{secret}",
            Auth::Handler,
            callback::inbound_secret,
        ),
        Route::any(
            "/inbound/{gateway}/{secret}/",
            Auth::Handler,
            callback::inbound_secret,
        ),
        Route::new(Method::GET, "/healthz", Auth::Public, health::alive),
        Route::new(Method::GET, "/readyz", Auth::Public, health::ready),
        Route::new(Method::GET, "/metrics", Auth::Handler, metrics::behind_key),
    ]
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
        _ => Err(LegacyError::method()),
    };
    served.unwrap_or_else(IntoResponse::into_response)
}

async fn nowhere() -> LegacyError {
    LegacyError::nowhere()
}

async fn wrong_method(State(app): State<Arc<App>>, request: Request) -> Response {
    if request.uri().path().starts_with("/admin") {
        return admin::wrong_method(&app, request.headers()).await;
    }
    let detail = "this resource does not have that method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response()
}
