//! Who has logged in, by the cookie of a request.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use redflash_core::{Actor, KeyHash, Session, Slug, StoreError, Timestamp, User};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::desk::Desk;
use crate::front::App;

/// The cookie of a session. The prefix has browsers take it only over a safe connection, for this
/// host alone and for all of its paths.
pub(crate) const COOKIE: &str = "__Host-rf";
/// The longest value that is looked up.
const LONGEST: usize = 100;
/// How exactly it is kept when a session was last used.
const EXACTNESS: std::time::Duration = std::time::Duration::from_secs(60);

/// A user who has logged in.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) user: User,
    pub(crate) session: Session,
    /// What a form must bring along.
    pub(crate) csrf: String,
}

impl Visitor {
    /// As the audit log names the user.
    pub(crate) fn actor(&self) -> Actor {
        Actor::User(self.user.slug.to_string())
    }

    /// Whether this is the token that this session's forms have.
    pub(crate) fn may_send(&self, token: &str) -> bool {
        self.csrf.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

/// The user whose session a request's cookie names, if it still runs.
pub(crate) async fn find(app: &App, headers: &HeaderMap) -> Result<Option<Visitor>, StoreError> {
    let Some(secret) = secret(headers, COOKIE) else {
        return Ok(None);
    };
    let store = app.engine.store();
    let hash = KeyHash::of(secret.expose_secret());
    let Some(session) = store.session(&hash).await? else {
        return Ok(None);
    };
    let now = app.engine.now();
    if !runs(app, &session, now) {
        store.end_session(&hash).await?;
        return Ok(None);
    }
    let user = store.user(&session.user).await?;
    let Some(user) = user.filter(|user| user.enabled) else {
        return Ok(None);
    };
    if now.since(session.seen_at) >= EXACTNESS.min(app.config.admin.session_idle / 4) {
        store.touch_session(&hash, now).await?;
    }
    Ok(Some(Visitor {
        user,
        session,
        csrf: token(&secret),
    }))
}

/// Begins a session, and ends the one that the browser had. Returns its cookie.
pub(super) async fn begin(
    app: &App,
    user: &Slug,
    headers: &HeaderMap,
) -> Result<Cookie<'static>, StoreError> {
    let store = app.engine.store();
    let (session, secret) = Session::start(user.clone(), app.engine.now());
    store.start_session(&session).await?;
    end(app, headers).await?;
    Ok(cookie(COOKIE, &secret))
}

/// Ends the session that the browser has.
pub(super) async fn end(app: &App, headers: &HeaderMap) -> Result<(), StoreError> {
    if let Some(secret) = secret(headers, COOKIE) {
        let hash = KeyHash::of(secret.expose_secret());
        app.engine.store().end_session(&hash).await?;
    }
    Ok(())
}

/// Whether the session in which somebody works still runs: nobody has logged out of it, and its user
/// was not switched off.
pub(super) async fn runs_on(desk: &Desk) -> Result<bool, StoreError> {
    let app = &desk.app;
    let session = app
        .engine
        .store()
        .session(&desk.visitor.session.hash)
        .await?;
    Ok(session.is_some_and(|session| runs(app, &session, app.engine.now())))
}

fn runs(app: &App, session: &Session, now: Timestamp) -> bool {
    let admin = &app.config.admin;
    now.since(session.seen_at) < admin.session_idle
        && now.since(session.started_at) < admin.session_length
}

/// The secret in a cookie of a request.
pub(super) fn secret(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let jar = CookieJar::from_headers(headers);
    let value = jar.get(name)?.value();
    let legal =
        (1..=LONGEST).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric());
    legal.then(|| value.into())
}

/// The token of the forms that the holder of a secret is shown. Only the holder can know it, and it
/// says nothing of the secret.
pub(crate) fn token(secret: &SecretString) -> String {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(b"form");
    BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// The cookie that begins a session.
pub(crate) fn cookie(name: &'static str, secret: &SecretString) -> Cookie<'static> {
    Cookie::build((name, secret.expose_secret().to_owned()))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .build()
}

/// The cookie that takes another one back.
pub(crate) fn no_cookie(name: &'static str) -> Cookie<'static> {
    let mut cookie = cookie(name, &SecretString::from(""));
    cookie.make_removal();
    cookie
}
