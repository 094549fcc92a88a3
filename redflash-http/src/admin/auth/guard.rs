//! Who is let in to the pages.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_FRAME_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use redflash_core::{Role, error_chain};
use tracing::error;
use url::form_urlencoded;

use crate::admin::auth::origin;
use crate::admin::auth::session;
use crate::admin::auth::session::Visitor;
use crate::admin::ui::form::Form;
use crate::admin::ui::page;
use crate::admin::ui::page_error::PageError;
use crate::app::App;
use crate::extract::body;
use crate::route::Permission;

/// Nothing comes from elsewhere, nothing in a page is a script, and no page shows it in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Lets nobody in without a session that may do what the route needs, and takes forms only from pages
/// of that session.
pub(crate) async fn guard(
    State((app, needs)): State<(Arc<App>, Permission)>,
    request: Request,
    next: Next,
) -> Response {
    let (visitor, answered) = match admit(&app, needs, request).await {
        Ok((visitor, request)) => (Some(visitor), next.run(request).await),
        Err((visitor, refused)) => (visitor, refused),
    };
    finish(&app, visitor.as_ref(), answered)
}

type Refused = (Option<Visitor>, Response);

async fn admit(
    app: &App,
    needs: Permission,
    request: Request,
) -> Result<(Visitor, Request), Refused> {
    let found = session::find(app, request.headers()).await;
    let found = found.map_err(|fault| {
        error!(fault = error_chain(&fault), "a session could not be read");
        (None, PageError::unavailable().into_response())
    })?;
    let Some(visitor) = found else {
        return Err((None, to_login(&request)));
    };
    match check(app, needs, &visitor, request).await {
        Ok(request) => Ok((visitor, request)),
        Err(oops) => Err((Some(visitor), oops.into_response())),
    }
}

/// Whether the visitor may do this, and means to.
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

/// The form that came with a request, if it came from a page of this server.
pub(crate) async fn form(app: &App, headers: &HeaderMap, whole: Body) -> Result<Form, PageError> {
    let config = &app.config;
    if !origin::is_own(headers, config.public_url.as_deref()) {
        return Err(PageError::foreign_form());
    }
    let read = body::read(headers, whole, app.body_limits(false)).await;
    let whole = read.map_err(|fault| PageError::unreadable(fault.detail))?;
    Form::parse(&whole.bytes).ok_or_else(|| PageError::unreadable("the form has too many fields"))
}

/// An answer as browsers are to have it: what went wrong as a page, and headers that keep them in
/// check.
pub(crate) fn finish(app: &App, visitor: Option<&Visitor>, mut response: Response) -> Response {
    if let Some(oops) = response.extensions_mut().remove::<PageError>() {
        response = page::render_error(app, visitor, oops);
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

/// To the page where one logs in, and from there to where one wanted to go.
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
