//! Authentication of API requests.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use redflash_core::model::{Actor, ApiKey, Target};

use crate::api::extract::query;
use crate::api::problem::Problem;
use crate::app::App;
use crate::auth::api_key;
use crate::middleware::request_log::ErrorFields;
use crate::route::Permission;
use crate::server::connection_slots;

/// The API key of a request: enabled, and with the permission that the route requires.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) key: ApiKey,
}

impl Caller {
    /// Returns its name in the audit log.
    pub(super) fn actor(&self) -> Actor {
        Actor::Key(self.key.slug.to_string())
    }
}

/// Rejects requests without a key that has the required permission, and those with invalid parameters.
pub(crate) async fn guard(
    State((app, needs, parameters)): State<(Arc<App>, Permission, &'static [&'static str])>,
    mut request: Request,
    next: Next,
) -> Response {
    let secret = api_key::bearer(request.headers());
    let key = match api_key::check(&app.engine, secret).await {
        Ok(key) => key,
        Err(refusal) => return Problem::from(refusal).into_response(),
    };
    let allowed = match needs {
        Permission::Any => true,
        Permission::View => key.inspect || key.admin,
        Permission::Admin => key.admin,
    };
    if !allowed {
        let permission = if needs == Permission::View {
            "inspect"
        } else {
            "admin"
        };
        let detail = format!("the key {} lacks the {permission} permission", key.slug);
        return Problem::forbidden(detail).into_response();
    }
    if let Err(problem) = query::check(request.uri().query(), parameters) {
        return problem.into_response();
    }
    app.note_use(&key);
    connection_slots::keep(request.extensions());
    let (by, target) = (key.slug.clone(), target(request.uri().path()));
    request.extensions_mut().insert(Caller { key });
    let mut response = next.run(request).await;
    if let Some(refused) = response.extensions_mut().get_mut::<ErrorFields>() {
        refused.key = Some(by);
        refused.target = target;
    }
    response
}

/// Returns the target that a path is about, if any.
fn target(path: &str) -> Option<Target> {
    let mut parts = path.strip_prefix("/api/v1/")?.split('/');
    let kind = match parts.next()? {
        "contacts" => Target::Contact,
        "groups" => Target::Group,
        "events" => Target::Event,
        _ => return None,
    };
    parts.next()?.parse().ok().map(kind)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| {
            let detail = "this URL requires no authentication";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
        })
    }
}
