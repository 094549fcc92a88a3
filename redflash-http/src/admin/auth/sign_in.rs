//! The last step of every login: a session, its cookie, and the page to return to.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use redflash_core::model::{Action, Actor, User};
use redflash_core::store::StoreError;

use crate::admin::auth::cookie;
use crate::admin::auth::cookie::with_cookies;
use crate::admin::auth::session;
use crate::admin::ui::form::Form;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::redirect::redirect;
use crate::app::App;

/// The cookie of a browser that shows the login form: its secret makes the form's token.
pub(crate) const LOGIN_COOKIE: &str = "__Host-rf-login";
/// The login page.
pub(crate) const LOGIN: &str = "/admin/login";
const HOME: &str = "/admin";

/// Starts a session of an authenticated user, and redirects to a page.
pub(crate) async fn sign_in(
    app: &App,
    user: &User,
    from: IpAddr,
    headers: &HeaderMap,
    next: &str,
) -> Result<Response, PageError> {
    let session = session::begin(&app.engine, &app.base, user, headers).await?;
    let session = session.ok_or_else(changed_meanwhile)?;
    let by = Actor::User(user.slug.to_string());
    let subject = format!("user/{}", user.slug);
    let detail = format!("from {from}");
    let engine = &app.engine;
    engine
        .record_audit(&by, Action::LoggedIn, &subject, &detail)
        .await?;
    let cookies = [session, cookie::removal(app.base.cookie(LOGIN_COOKIE))];
    Ok(with_cookies(redirect(next), cookies))
}

/// Adds a new session to a response, for a user whose sessions have all ended.
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

/// Returns the page to return to, which is always one of the web admin.
pub(crate) fn return_path(form: &Form) -> String {
    let wanted = form.get("next");
    let rest = wanted.strip_prefix(HOME);
    let is_own = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_login = wanted.starts_with(LOGIN);
    let is_plain = !wanted.contains('\\') && !wanted.chars().any(char::is_control);
    let wanted = Some(wanted).filter(|_| is_own && is_plain && !is_login);
    wanted.unwrap_or(HOME).to_owned()
}

fn changed_meanwhile() -> PageError {
    let text = "Your password or role changed during the login. Log in again.";
    PageError::new(StatusCode::FORBIDDEN, "Login failed", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_to_pages_of_the_admin_only() {
        let next = |wanted: &str| {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("next", wanted);
            return_path(&Form::parse(form.finish().as_bytes()).unwrap())
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
