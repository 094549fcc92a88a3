//! Who has logged in, by the cookie of a request.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::Cookie;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use redflash_core::{Actor, Engine, KeyHash, Session, StoreError, Timestamp, User};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::admin::auth::cookie;
use crate::app::App;
use crate::base_path::BasePath;

/// The cookie of a session. The prefix has browsers take it only over a safe connection, for this
/// host alone and for all of its paths.
pub(crate) const COOKIE: &str = "__Host-rf";
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
    let Some(secret) = cookie::secret(headers, &app.base.cookie(COOKIE)) else {
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
    if now.since(session.seen_at) >= EXACTNESS.min(app.config.settings.get().session_idle / 4) {
        store.touch_session(&hash, now).await?;
    }
    Ok(Some(Visitor {
        user,
        session,
        csrf: token(&secret),
    }))
}

/// Begins a session, and ends the one that the browser had. Returns its cookie; `None` when the user
/// has lost a right since.
///
/// * `base` - where the browser sees the server, after which the cookie is called.
/// * `user` - who has proved to be it, as the user was then.
pub(crate) async fn begin(
    engine: &Engine,
    base: &BasePath,
    user: &User,
    headers: &HeaderMap,
) -> Result<Option<Cookie<'static>>, StoreError> {
    let store = engine.store();
    let (session, secret) = Session::start(user.slug.clone(), engine.now());
    match store.start_session(&session).await {
        // Removed just now.
        Err(StoreError::Dangling { .. }) => return Ok(None),
        started => started?,
    }
    // What ends the sessions of a user from now on ends this one too. What did so before has not.
    let again = store.user(&user.slug).await?;
    if !again.is_some_and(|again| is_still(&again, user)) {
        store.end_session(&session.hash).await?;
        return Ok(None);
    }
    end(engine, base, headers).await?;
    Ok(Some(cookie::new(base.cookie(COOKIE), &secret)))
}

/// Whether nothing that ends a user's sessions has happened to the user.
fn is_still(now: &User, before: &User) -> bool {
    let same = |user: &User| (user.role, user.password.clone(), user.created_at);
    now.enabled && same(now) == same(before)
}

/// Ends the session that the browser has.
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
    Ok(session.is_some_and(|session| runs(app, &session, app.engine.now())))
}

fn runs(app: &App, session: &Session, now: Timestamp) -> bool {
    let settings = app.config.settings.get();
    now.since(session.seen_at) < settings.session_idle
        && now.since(session.started_at) < settings.session_length
}

/// The token of the forms that the holder of a secret is shown. Only the holder can know it, and it
/// says nothing of the secret.
pub(crate) fn token(secret: &SecretString) -> String {
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(b"form");
    BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redflash_core::store::Save;
    use redflash_core::{Directory, MemoryStore, PasswordHash, Role, Sessions};

    use super::*;

    /// Begins a session of somebody to whom something happens after the password was checked.
    ///
    /// Returns whether a cookie was given, and how many sessions there are.
    async fn begun(happens: impl AsyncFnOnce(&MemoryStore, User)) -> (bool, u64) {
        let store = Arc::new(MemoryStore::new());
        let engine = Engine::builder(Arc::clone(&store) as _).build().unwrap();
        let (slug, name) = ("ann".parse().unwrap(), "Ann".parse().unwrap());
        let mut user = User::new(slug, name, Role::Admin, Timestamp::from_millis(1));
        user.password = Some(PasswordHash::new("$argon2id$one"));
        let entries = [user.clone().into()];
        store.save(&entries, Save::Create).await.unwrap();
        happens(&store, user.clone()).await;
        let cookie = begin(&engine, &BasePath::default(), &user, &HeaderMap::new())
            .await
            .unwrap();
        let sessions = store.end_sessions(&user.slug, None).await.unwrap();
        (cookie.is_some(), sessions)
    }

    /// The same, where the user is changed.
    async fn begun_after(change: impl FnOnce(&mut User)) -> (bool, u64) {
        begun(async |store, mut user| {
            change(&mut user);
            store.save(&[user.into()], Save::Update).await.unwrap();
        })
        .await
    }

    #[tokio::test]
    async fn who_loses_a_right_while_logging_in_gets_no_session() {
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
    async fn who_is_called_otherwise_meanwhile_is_logged_in() {
        let name = |user: &mut User| user.name = "Anna".parse().unwrap();
        assert_eq!(begun_after(name).await, (true, 1));
    }
}
