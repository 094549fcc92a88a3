//! The guard of the pages: session, role, form token and security headers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_FRAME_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use redflash_core::error_chain;
use redflash_core::model::Role;
use tracing::error;
use url::form_urlencoded;

use crate::admin::auth::origin;
use crate::admin::auth::session;
use crate::admin::auth::session::Visitor;
use crate::admin::ui::form::Form;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::render::render_error;
use crate::app::App;
use crate::extract::body;
use crate::route::Permission;

/// Allows no foreign content, no inline scripts and no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Requires a session with the permission of the route, and for forms the token of that session.
pub(crate) async fn guard(
    State((app, needs)): State<(Arc<App>, Permission)>,
    request: Request,
    next: Next,
) -> Response {
    let (visitor, response) = match admit(&app, needs, request).await {
        Ok((visitor, request)) => (Some(visitor), next.run(request).await),
        Err((visitor, refusal)) => (visitor, refusal),
    };
    finish(&app, visitor.as_ref(), response)
}

type Refusal = (Option<Visitor>, Response);

async fn admit(
    app: &App,
    needs: Permission,
    request: Request,
) -> Result<(Visitor, Request), Refusal> {
    let found = session::find(app, request.headers()).await;
    let found = found.map_err(|error| {
        error!(error = error_chain(&error), "session could not be read");
        (None, PageError::unavailable().into_response())
    })?;
    let Some(visitor) = found else {
        return Err((None, to_login(&request)));
    };
    match check(app, needs, &visitor, request).await {
        Ok(request) => Ok((visitor, request)),
        Err(error) => Err((Some(visitor), error.into_response())),
    }
}

/// Checks the role of the visitor and the token of the form.
async fn check(
    app: &App,
    needs: Permission,
    visitor: &Visitor,
    request: Request,
) -> Result<Request, PageError> {
    if needs == Permission::Admin && visitor.user.role != Role::Admin {
        return Err(PageError::role());
    }
    let (mut parts, whole) = request.into_parts();
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let form = form(app, &parts.headers, whole).await?;
        if !visitor.may_send(form.get("csrf")) {
            return Err(PageError::stale_form());
        }
        parts.extensions.insert(form);
    }
    parts.extensions.insert(visitor.clone());
    Ok(Request::from_parts(parts, Body::empty()))
}

/// Reads the form of a request, which must come from a page of this server.
pub(crate) async fn form(app: &App, headers: &HeaderMap, whole: Body) -> Result<Form, PageError> {
    let config = &app.config;
    if !origin::is_own(headers, config.public_url.as_deref()) {
        return Err(PageError::foreign_form());
    }
    let read = body::read(headers, whole, app.body_limits(false)).await;
    let whole = read.map_err(|error| PageError::unreadable(error.detail))?;
    Form::parse(&whole.bytes).ok_or_else(|| PageError::unreadable("the form has too many fields"))
}

/// Completes a response for a browser: renders an error as a page, and sets the security headers.
pub(crate) fn finish(app: &App, visitor: Option<&Visitor>, mut response: Response) -> Response {
    if let Some(error) = response.extensions_mut().remove::<PageError>() {
        response = render_error(app, visitor, error);
    }
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(CONTENT_SECURITY_POLICY, fixed(POLICY));
    headers.insert(X_FRAME_OPTIONS, fixed("DENY"));
    headers.insert(REFERRER_POLICY, fixed("same-origin"));
    let opener = HeaderName::from_static("cross-origin-opener-policy");
    headers.insert(opener, fixed("same-origin"));
    response
}

/// Redirects to the login page, which returns to the requested page.
fn to_login(request: &Request) -> Response {
    let mut target = "/admin/login".to_owned();
    let wanted = request.uri().path_and_query().map(ToString::to_string);
    let is_page = *request.method() == Method::GET;
    if let Some(wanted) = wanted.filter(|wanted| is_page && wanted.len() < 2_000) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("next", &wanted);
        target = format!("{target}?{}", query.finish());
    }
    let target = HeaderValue::try_from(target).expect("an encoded path is a header's value");
    (StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response()
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let visitor = parts.extensions.get::<Self>().cloned();
        visitor.ok_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
