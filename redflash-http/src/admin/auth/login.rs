//! `/admin/login` and `/admin/logout`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use redflash_core::model::{Session, Slug, User};
use redflash_core::store::StoreError;
use secrecy::SecretString;
use subtle::ConstantTimeEq;
use tracing::info;

use crate::admin::auth::cookie;
use crate::admin::auth::cookie::with_cookies;
use crate::admin::auth::guard;
use crate::admin::auth::session;
use crate::admin::auth::sign_in::{LOGIN, LOGIN_COOKIE, return_path, sign_in};
use crate::admin::ui::form::Form;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Login;
use crate::admin::ui::redirect::redirect;
use crate::admin::ui::render::render;
use crate::app::App;
use crate::auth::password::is_password;
use crate::middleware::client_ip::ClientIp;
use crate::route::{Auth, Permission, Route};

pub(crate) fn routes() -> Vec<Route> {
    let logged_in = Auth::Session(Permission::Any);
    vec![
        Route::new(Method::GET, LOGIN, Auth::Public, page),
        Route::new(Method::POST, LOGIN, Auth::Public, send),
        Route::new(Method::POST, "/admin/logout", logged_in, log_out),
    ]
}

async fn page(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes());
    let page = blank(&app, &headers, &query.unwrap_or_default()).await;
    let page = page.unwrap_or_else(IntoResponse::into_response);
    guard::finish(&app, None, page)
}

async fn blank(app: &App, headers: &HeaderMap, query: &Form) -> Result<Response, PageError> {
    if session::find(app, headers).await?.is_some() {
        return Ok(redirect(&return_path(query)));
    }
    let name = app.base.cookie(LOGIN_COOKIE);
    let known = cookie::secret(headers, &name);
    let secret = known.unwrap_or_else(Session::secret);
    let shown = show(app, StatusCode::OK, query, &secret, None).await?;
    Ok(with_cookies(shown, [cookie::new(name, &secret)]))
}

/// Renders the login page with the fields of a form, except for the password.
async fn show(
    app: &App,
    status: StatusCode,
    form: &Form,
    secret: &SecretString,
    error: Option<String>,
) -> Result<Response, StoreError> {
    let next = return_path(form);
    #[cfg(feature = "oidc")]
    let oidc = crate::admin::auth::oidc::link(app, &next);
    #[cfg(not(feature = "oidc"))]
    let oidc = None;
    let page = Login {
        user: form.get("user").to_owned(),
        csrf: session::token(secret),
        next,
        error,
        oidc,
        nobody: app.engine.store().users().await?.is_empty(),
    };
    let html = render(app, None, "login", "Log in", None, None, page);
    Ok((status, html).into_response())
}

async fn send(State(app): State<Arc<App>>, ClientIp(from): ClientIp, request: Request) -> Response {
    let response = log_in(&app, from, request).await;
    let response = response.unwrap_or_else(IntoResponse::into_response);
    guard::finish(&app, None, response)
}

async fn log_in(app: &App, from: IpAddr, request: Request) -> Result<Response, PageError> {
    let (parts, body) = request.into_parts();
    let form = guard::form(app, &parts.headers, body).await?;
    let secret = cookie::secret(&parts.headers, &app.base.cookie(LOGIN_COOKIE))
        .ok_or_else(missing_cookie)?;
    let token = session::token(&secret);
    if !bool::from(token.as_bytes().ct_eq(form.get("csrf").as_bytes())) {
        return Err(PageError::stale_form());
    }
    let slug = Slug::parse(form.get("user").trim()).ok();
    let attempt = match app
        .login_throttle
        .begin(slug.as_ref(), from, app.engine.monotonic())
    {
        Ok(attempt) => attempt,
        Err(wait) => return Ok(too_many_attempts(app, &form, &secret, wait).await?),
    };
    let password = form.get("password").into();
    let Some(user) = user(app, slug.as_ref(), &password).await? else {
        info!(%from, "login failed: incorrect user name or password");
        let error = "Incorrect user name or password.".to_owned();
        let status = StatusCode::UNAUTHORIZED;
        return Ok(show(app, status, &form, &secret, Some(error)).await?);
    };
    attempt.succeed();
    sign_in(app, &user, from, &parts.headers, &return_path(&form)).await
}

/// Returns the enabled user with a name and a password. The time does not reveal whether there is one.
async fn user(
    app: &App,
    slug: Option<&Slug>,
    password: &SecretString,
) -> Result<Option<User>, StoreError> {
    let found = match slug {
        Some(slug) => app.engine.store().user(slug).await?,
        None => None,
    };
    let found = found.filter(|user| user.enabled);
    let hash = found.as_ref().and_then(|user| user.password.as_ref());
    let is_right = is_password(password, hash).await;
    Ok(found.filter(|_| is_right))
}

async fn too_many_attempts(
    app: &App,
    form: &Form,
    secret: &SecretString,
    wait: Duration,
) -> Result<Response, StoreError> {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let error = format!("Too many failed attempts. Try again in {seconds} {unit}.");
    let status = StatusCode::TOO_MANY_REQUESTS;
    let shown = show(app, status, form, secret, Some(error)).await?;
    Ok(([(RETRY_AFTER, HeaderValue::from(seconds))], shown).into_response())
}

fn missing_cookie() -> PageError {
    let text = "Your browser did not return the login cookie. Allow cookies, and open the web admin over \
        HTTPS or at localhost or 127.0.0.1.";
    PageError::new(StatusCode::FORBIDDEN, "Missing cookie", text)
}

async fn log_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, PageError> {
    session::end(&app.engine, &app.base, &headers).await?;
    Ok(with_cookies(
        redirect(LOGIN),
        [cookie::removal(app.base.cookie(session::COOKIE))],
    ))
}
