//! Cookies of the web admin, which scripts cannot read and browsers send over secure connections only.

use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use secrecy::{ExposeSecret, SecretString};

/// Maximum length of a secret that is looked up, in bytes.
const MAX_LENGTH: usize = 100;

/// Returns the secret in a cookie of a request.
pub(crate) fn secret(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let jar = CookieJar::from_headers(headers);
    let value = jar.get(name)?.value();
    let legal =
        (1..=MAX_LENGTH).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric());
    legal.then(|| value.into())
}

/// Creates a cookie with a secret.
pub(crate) fn new(name: String, secret: &SecretString) -> Cookie<'static> {
    Cookie::build((name, secret.expose_secret().to_owned()))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .build()
}

/// Creates a cookie that deletes another one.
pub(crate) fn removal(name: String) -> Cookie<'static> {
    let mut cookie = new(name, &SecretString::from(""));
    cookie.make_removal();
    cookie
}

/// Adds cookies to a response.
pub(crate) fn with_cookies<const N: usize>(
    response: Response,
    cookies: [Cookie<'static>; N],
) -> Response {
    let lines = cookies.map(|cookie| (SET_COOKIE, cookie.to_string()));
    (AppendHeaders(lines), response).into_response()
}
