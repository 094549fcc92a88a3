//! The router: every route of the tables, each behind the guard of its [`Auth`].

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use redflash_core::Engine;

use crate::admin::auth::{guard, host};
use crate::admin::ui::wrong_method;
use crate::api::caller;
use crate::api::problem::Problem;
use crate::app::App;
use crate::legacy::error::LegacyError;
use crate::middleware::request_log;
use crate::route::{Auth, Route};
use crate::{HttpConfig, admin, api, callback, legacy, ops};

/// Returns every route of the server. The router serves nothing that is not in here.
pub fn routes() -> Vec<Route> {
    let mut routes = system_routes();
    routes.extend(api::routes());
    routes.extend(admin::routes());
    routes
}

/// Returns the routes that are neither pages nor below `/api/v1`.
fn system_routes() -> Vec<Route> {
    let mut routes = legacy::routes::routes();
    routes.extend(callback::routes());
    routes.extend(ops::routes());
    routes
}

/// Returns a service with every URL of the server, for programs that have a server already.
///
/// # Panics
///
/// If a page template is broken, which no configuration and no input can cause.
pub fn router(engine: Engine, config: HttpConfig) -> Router {
    let app = Arc::new(App::new(engine, config));
    let known_host = from_fn_with_state(Arc::clone(&app), host::require_known_host);
    let routes = mount(&app, system_routes())
        .merge(mount(&app, api::routes()))
        .merge(mount(&app, admin::routes()).route_layer(known_host))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(request_log::log_request))
        .with_state(Arc::clone(&app));
    app.base.serve(routes)
}

fn mount(app: &Arc<App>, routes: Vec<Route>) -> Router<Arc<App>> {
    let add = |router: Router<Arc<App>>, route: Route| {
        let handler = match route.auth {
            Auth::Public | Auth::Handler => route.handler,
            Auth::ApiKey(needs) => {
                let operation = route.operation.as_ref();
                let parameters = operation.map_or(&[][..], |operation| operation.query());
                let state = (Arc::clone(app), needs, parameters);
                let guard = from_fn_with_state(state, caller::guard);
                route.handler.layer(guard)
            }
            Auth::Session(needs) => {
                let guard = from_fn_with_state((Arc::clone(app), needs), guard::guard);
                route.handler.layer(guard)
            }
        };
        router.route(route.path, handler)
    };
    routes.into_iter().fold(Router::new(), add)
}

async fn not_found() -> LegacyError {
    LegacyError::not_found()
}

async fn method_not_allowed(State(app): State<Arc<App>>, request: Request) -> Response {
    if request.uri().path().starts_with("/admin") {
        return wrong_method::wrong_method(&app, request.headers()).await;
    }
    let detail = "this resource does not have that method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response()
}
