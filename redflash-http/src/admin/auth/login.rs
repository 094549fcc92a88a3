//! `/admin/login` and `/admin/logout`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum_extra::extract::cookie::Cookie;
use redflash_core::{Action, Actor, Session, Slug, StoreError, User};
use secrecy::SecretString;
use subtle::ConstantTimeEq;
use tracing::info;

use crate::admin::auth::guard;
use crate::admin::auth::session;
use crate::admin::ui::form::Form;
use crate::admin::ui::page;
use crate::admin::ui::page::go;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::Login;
use crate::app::App;
use crate::auth::password::is_password;
use crate::middleware::client_ip::ClientAddress;
use crate::route::{Auth, Permission, Route};

/// The cookie of somebody who is about to log in: its secret makes the token of the form.
const COOKIE: &str = "__Host-rf-login";
const HOME: &str = "/admin";
const PATH: &str = "/admin/login";

pub(crate) fn routes() -> Vec<Route> {
    let logged_in = Auth::Session(Permission::Any);
    vec![
        Route::new(Method::GET, PATH, Auth::Public, page),
        Route::new(Method::POST, PATH, Auth::Public, send),
        Route::new(Method::POST, "/admin/logout", logged_in, log_out),
    ]
}

async fn page(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes());
    let shown = blank(&app, &headers, &query.unwrap_or_default()).await;
    let shown = shown.unwrap_or_else(IntoResponse::into_response);
    guard::finished(&app, None, shown)
}

async fn blank(app: &App, headers: &HeaderMap, query: &Form) -> Result<Response, PageError> {
    if session::find(app, headers).await?.is_some() {
        return Ok(go(&next(query)));
    }
    let cookie = app.base.cookie(COOKIE);
    let known = session::secret(headers, &cookie);
    let secret = known.unwrap_or_else(Session::secret);
    let shown = show(app, StatusCode::OK, query, &secret, None).await?;
    Ok(with_cookies(shown, [session::cookie(cookie, &secret)]))
}

/// The page, with what was typed but the password.
async fn show(
    app: &App,
    status: StatusCode,
    form: &Form,
    secret: &SecretString,
    error: Option<String>,
) -> Result<Response, StoreError> {
    let next = next(form);
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
    let html = page::render(app, None, "login", "Log in", None, None, page);
    Ok((status, html).into_response())
}

async fn send(
    State(app): State<Arc<App>>,
    ClientAddress(from): ClientAddress,
    request: Request,
) -> Response {
    let answered = log_in(&app, from, request).await;
    let answered = answered.unwrap_or_else(IntoResponse::into_response);
    guard::finished(&app, None, answered)
}

async fn log_in(app: &App, from: IpAddr, request: Request) -> Result<Response, PageError> {
    let (parts, body) = request.into_parts();
    let form = guard::form(app, &parts.headers, body).await?;
    let secret = session::secret(&parts.headers, &app.base.cookie(COOKIE)).ok_or_else(no_cookie)?;
    let token = session::token(&secret);
    if !bool::from(token.as_bytes().ct_eq(form.get("csrf").as_bytes())) {
        return Err(PageError::stale_form());
    }
    let slug = Slug::parse(form.get("user").trim()).ok();
    let tried = match app
        .throttle
        .begin(slug.as_ref(), from, app.engine.monotonic())
    {
        Ok(tried) => tried,
        Err(wait) => return Ok(too_often(app, &form, &secret, wait).await?),
    };
    let password = form.get("password").into();
    let Some(user) = user(app, slug.as_ref(), &password).await? else {
        info!(%from, "login failed: incorrect user name or password");
        let error = "Incorrect user name or password.".to_owned();
        let status = StatusCode::UNAUTHORIZED;
        return Ok(show(app, status, &form, &secret, Some(error)).await?);
    };
    tried.forget();
    welcome(app, &user, from, &parts.headers, &next(&form)).await
}

/// The user who has this name and this password, and may log in. It takes equally long to find out
/// that there is none.
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

/// Begins the session of somebody who has proved to be a user.
pub(crate) async fn welcome(
    app: &App,
    user: &User,
    from: IpAddr,
    headers: &HeaderMap,
    next: &str,
) -> Result<Response, PageError> {
    let cookie = session::begin(&app.engine, &app.base, user, headers).await?;
    let cookie = cookie.ok_or_else(changed_meanwhile)?;
    let by = Actor::User(user.slug.to_string());
    let subject = format!("user/{}", user.slug);
    let detail = format!("from {from}");
    let engine = &app.engine;
    engine
        .note(&by, Action::LoggedIn, &subject, &detail)
        .await?;
    let cookies = [cookie, session::no_cookie(app.base.cookie(COOKIE))];
    Ok(with_cookies(go(next), cookies))
}

async fn too_often(
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

fn changed_meanwhile() -> PageError {
    let text = "Your password or role changed during the login. Log in again.";
    PageError::new(StatusCode::FORBIDDEN, "Login failed", text)
}

fn no_cookie() -> PageError {
    let text = "Your browser did not return the login cookie. Allow cookies, and open the web admin over \
        HTTPS or at localhost or 127.0.0.1.";
    PageError::new(StatusCode::FORBIDDEN, "Missing cookie", text)
}

/// Where to go afterwards: a page of the admin, whatever is asked for.
pub(crate) fn next(form: &Form) -> String {
    let wanted = form.get("next");
    let rest = wanted.strip_prefix(HOME);
    let is_own = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_door = wanted.starts_with(PATH);
    let is_plain = !wanted.contains('\\') && !wanted.chars().any(char::is_control);
    let wanted = Some(wanted).filter(|_| is_own && is_plain && !is_door);
    wanted.unwrap_or(HOME).to_owned()
}

async fn log_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, PageError> {
    session::end(&app.engine, &app.base, &headers).await?;
    Ok(with_cookies(
        go(PATH),
        [session::no_cookie(app.base.cookie(session::COOKIE))],
    ))
}

/// The same answer, with a new session for a user whose sessions have all ended.
pub(crate) async fn with_session(
    response: Response,
    app: &App,
    user: &User,
    headers: &HeaderMap,
) -> Result<Response, StoreError> {
    Ok(
        match session::begin(&app.engine, &app.base, user, headers).await? {
            Some(cookie) => with_cookies(response, [cookie]),
            None => response,
        },
    )
}

/// The same answer, with cookies.
pub(crate) fn with_cookies<const N: usize>(
    response: Response,
    cookies: [Cookie<'static>; N],
) -> Response {
    let lines = cookies.map(|cookie| (SET_COOKIE, cookie.to_string()));
    (AppendHeaders(lines), response).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn afterwards_one_goes_to_a_page_of_the_admin() {
        let next = |wanted: &str| {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("next", wanted);
            super::next(&Form::parse(form.finish().as_bytes()).unwrap())
        };
        for own in ["/admin", "/admin/log?state=failed&q=%C3%A9", "/admin?x=//y"] {
            assert_eq!(next(own), own);
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/\\evil.example",
            "/admin\\..\\..\\/evil.example",
            "/administrator",
            "https://evil.example/admin",
            "javascript:alert(1)",
            "/admin/login?next=/admin/login",
            "/admin/\r\nSet-Cookie: x=y",
        ] {
            assert_eq!(next(other), "/admin", "{other:?}");
        }
    }
}
