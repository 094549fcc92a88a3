//! Sessions of the web admin, and their cookies.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::Cookie;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::model::{Actor, KeyHash, Session, User};
use redflash_core::store::StoreError;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::admin::auth::cookie;
use crate::app::App;
use crate::base_path::BasePath;

/// The cookie of a session. Its prefix makes browsers accept it over a secure connection only, for this
/// host alone and for all paths.
pub(crate) const COOKIE: &str = "__Host-rf";
/// Resolution of a session's last-used time.
const LAST_USED_RESOLUTION: std::time::Duration = std::time::Duration::from_secs(60);

/// A user who has logged in.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) user: User,
    pub(crate) session: Session,
    /// The token of the forms of this session.
    pub(crate) csrf: String,
}

impl Visitor {
    /// Returns the user as an actor for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor::User(self.user.slug.to_string())
    }

    /// Returns true if `token` is the form token of this session.
    pub(crate) fn may_send(&self, token: &str) -> bool {
        self.csrf.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

/// Returns the user of an active session, by the cookie of a request.
pub(crate) async fn find(app: &App, headers: &HeaderMap) -> Result<Option<Visitor>, StoreError> {
    let Some(secret) = cookie::secret(headers, &app.base.cookie(COOKIE)) else {
        return Ok(None);
    };
    let store = app.engine.store();
    let hash = KeyHash::of(secret.expose_secret());
    let Some(session) = store.session(&hash).await? else {
        return Ok(None);
    };
    let now = app.engine.now();
    if !is_current(app, &session, now) {
        store.end_session(&hash).await?;
        return Ok(None);
    }
    let user = store.user(&session.user).await?;
    let Some(user) = user.filter(|user| user.enabled) else {
        return Ok(None);
    };
    if now.since(session.seen_at)
        >= LAST_USED_RESOLUTION.min(app.config.settings.get().session_idle / 4)
    {
        store.touch_session(&hash, now).await?;
    }
    Ok(Some(Visitor {
        user,
        session,
        csrf: token(&secret),
    }))
}

/// Starts a session, and ends the browser's earlier one. Returns its cookie; `None` if the user has lost
/// a right meanwhile.
///
/// * `base` - the base path, which is part of the cookie's name.
/// * `user` - the user as of the check of the credentials.
pub(crate) async fn begin(
    engine: &Engine,
    base: &BasePath,
    user: &User,
    headers: &HeaderMap,
) -> Result<Option<Cookie<'static>>, StoreError> {
    let store = engine.store();
    let (session, secret) = Session::start(user.slug.clone(), engine.now());
    match store.start_session(&session).await {
        // The user was removed meanwhile.
        Err(StoreError::Dangling { .. }) => return Ok(None),
        started => started?,
    }
    // A change to the user from now on ends this session too, but an earlier one did not.
    let current = store.user(&user.slug).await?;
    if !current.is_some_and(|current| is_unchanged(&current, user)) {
        store.end_session(&session.hash).await?;
        return Ok(None);
    }
    end(engine, base, headers).await?;
    Ok(Some(cookie::new(base.cookie(COOKIE), &secret)))
}

/// Returns true if no change to a user would have ended their sessions.
fn is_unchanged(now: &User, before: &User) -> bool {
    let same = |user: &User| (user.role, user.password.clone(), user.created_at);
    now.enabled && same(now) == same(before)
}

/// Ends the session of a browser.
pub(crate) async fn end(
    engine: &Engine,
    base: &BasePath,
    headers: &HeaderMap,
) -> Result<(), StoreError> {
    if let Some(secret) = cookie::secret(headers, &base.cookie(COOKIE)) {
        let hash = KeyHash::of(secret.expose_secret());
        engine.store().end_session(&hash).await?;
    }
    Ok(())
}

/// Returns true if a visitor's session is still active: it was neither ended nor expired.
pub(crate) async fn is_active(app: &App, visitor: &Visitor) -> Result<bool, StoreError> {
    let session = app.engine.store().session(&visitor.session.hash).await?;
    Ok(session.is_some_and(|session| is_current(app, &session, app.engine.now())))
}

fn is_current(app: &App, session: &Session, now: Timestamp) -> bool {
    let settings = app.config.settings.get();
    now.since(session.seen_at) < settings.session_idle
        && now.since(session.started_at) < settings.session_length
}

/// Returns the form token for the holder of a secret. It does not reveal the secret.
pub(crate) fn token(secret: &SecretString) -> String {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts keys of any length");
    mac.update(b"form");
    BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redflash_core::model::{PasswordHash, Role};
    use redflash_core::store::{Directory, MemoryStore, Save, Sessions};

    use super::*;

    /// Starts a session of a user whom `change` affects after the password was checked.
    ///
    /// Returns true if there was a cookie, and the number of sessions.
    async fn begun(change: impl AsyncFnOnce(&MemoryStore, User)) -> (bool, u64) {
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::builder(Arc::clone(&store)).build().unwrap();
        let (slug, name) = ("ann".parse().unwrap(), "Ann".parse().unwrap());
        let mut user = User::new(slug, name, Role::Admin, Timestamp::from_millis(1));
        user.password = Some(PasswordHash::new("$argon2id$one"));
        let entries = [user.clone().into()];
        store.save(&entries, Save::Create).await.unwrap();
        change(&store, user.clone()).await;
        let cookie = begin(&engine, &BasePath::default(), &user, &HeaderMap::new())
            .await
            .unwrap();
        let sessions = store.end_sessions(&user.slug, None).await.unwrap();
        (cookie.is_some(), sessions)
    }

    /// Starts a session of a user who is edited after the password was checked.
    async fn begun_after(change: impl FnOnce(&mut User)) -> (bool, u64) {
        begun(async |store, mut user| {
            change(&mut user);
            store.save(&[user.into()], Save::Update).await.unwrap();
        })
        .await
    }

    #[tokio::test]
    async fn starts_no_session_if_user_lost_a_right() {
        let other = PasswordHash::new("$argon2id$other");
        let password = |user: &mut User| user.password = Some(other.clone());
        assert_eq!(begun_after(password).await, (false, 0));
        assert_eq!(begun_after(|user| user.enabled = false).await, (false, 0));
        assert_eq!(
            begun_after(|user| user.role = Role::Viewer).await,
            (false, 0)
        );
        let namesake = |user: &mut User| user.created_at = Timestamp::from_millis(2);
        assert_eq!(begun_after(namesake).await, (false, 0));
        let removed = begun(async |store, user| {
            let user = redflash_core::store::EntryRef::User(user.slug);
            store.remove(&user).await.unwrap();
        });
        assert_eq!(removed.await, (false, 0));
    }

    #[tokio::test]
    async fn starts_session_if_user_was_renamed() {
        let name = |user: &mut User| user.name = "Anna".parse().unwrap();
        assert_eq!(begun_after(name).await, (true, 1));
    }
}
