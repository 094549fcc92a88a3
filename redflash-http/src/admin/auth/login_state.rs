//! A login that waits for the OpenID provider, kept in a cookie of the browser that began it.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use redflash_core::Session;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::OidcConfig;
use crate::admin::auth::cookie;
use crate::base_path::BasePath;
use crate::oidc::{LoginState, Provider};

const COOKIE: &str = "__Host-rf-oidc";

/// The provider through which users log in.
#[derive(Debug)]
pub(crate) struct OpenId {
    pub(crate) provider: Provider,
    pub(crate) signer: StateSigner,
}

impl OpenId {
    pub(crate) fn new(config: OidcConfig) -> Self {
        Self {
            signer: StateSigner::new(config.client_secret.as_ref()),
            provider: Provider::new(config),
        }
    }
}

/// A login that has begun.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PendingLogin {
    #[serde(rename = "remembered")]
    pub(crate) state: LoginState,
    /// Where to go afterwards.
    pub(crate) next: String,
}

/// What marks a cookie as one of ours. Only the browser itself can read what is in it, and it serves
/// nobody without the code that the provider gives to that same browser.
#[derive(Debug)]
pub(crate) struct StateSigner(SecretString);

impl StateSigner {
    /// A signer that all nodes have, made of the client's secret; without one, this node's own.
    pub(crate) fn new(client_secret: Option<&SecretString>) -> Self {
        Self(client_secret.cloned().unwrap_or_else(Session::secret))
    }

    /// The cookie of a login.
    ///
    /// * `base` - where the browser sees the server, after which the cookie is called.
    pub(crate) fn cookie(&self, base: &BasePath, pending: &PendingLogin) -> Cookie<'static> {
        let json = serde_json::to_vec(pending).expect("texts and a number are JSON");
        let body = BASE64_URL_SAFE_NO_PAD.encode(json);
        let mark = self.mark(&body).finalize().into_bytes();
        let mark = BASE64_URL_SAFE_NO_PAD.encode(mark);
        cookie::new(base.cookie(COOKIE), &format!("{body}.{mark}").into())
    }

    /// The login that this browser has begun.
    pub(crate) fn open(&self, base: &BasePath, headers: &HeaderMap) -> Option<PendingLogin> {
        let jar = CookieJar::from_headers(headers);
        let (body, mark) = jar.get(&base.cookie(COOKIE))?.value().split_once('.')?;
        let mark = BASE64_URL_SAFE_NO_PAD.decode(mark).ok()?;
        self.mark(body).verify_slice(&mark).ok()?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(body).ok()?;
        serde_json::from_slice(&json).ok()
    }

    fn mark(&self, body: &str) -> Hmac<Sha256> {
        let key = self.0.expose_secret().as_bytes();
        let mut mac = Hmac::new_from_slice(key).expect("a key of any length will do");
        mac.update(b"a pending login of RedFlash\0");
        mac.update(body.as_bytes());
        mac
    }
}

/// The cookie that takes it back.
pub(crate) fn removal(base: &BasePath) -> Cookie<'static> {
    cookie::removal(base.cookie(COOKIE))
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE as HEADER;
    use serde_json::json;

    use super::*;

    fn pending() -> PendingLogin {
        serde_json::from_value(json!({
            "remembered": {"state": "s", "nonce": "n", "verifier": "v", "begun_at": 5},
            "next": "/admin/log",
        }))
        .unwrap()
    }

    fn opened(signer: &StateSigner, value: &str) -> Option<PendingLogin> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, format!("{COOKIE}={value}").parse().unwrap());
        signer.open(&BasePath::default(), &headers)
    }

    #[test]
    fn a_login_comes_back_from_the_browser_that_began_it() {
        let (one, other) = (
            StateSigner::new(Some(&"key".into())),
            StateSigner::new(Some(&"key".into())),
        );
        let value = one
            .cookie(&BasePath::default(), &pending())
            .value()
            .to_owned();
        assert_eq!(opened(&other, &value).unwrap().next, "/admin/log");
        assert!(opened(&StateSigner::new(Some(&"another".into())), &value).is_none());
        assert!(opened(&StateSigner::new(None), &value).is_none());
    }

    #[test]
    fn a_cookie_that_was_changed_is_none_of_ours() {
        let signer = StateSigner::new(None);
        let value = signer
            .cookie(&BasePath::default(), &pending())
            .value()
            .to_owned();
        assert!(opened(&signer, &value).is_some());
        for bad in [
            &value[1..],
            &value[..value.len() - 2],
            "",
            ".",
            "x.y",
            &value.replace('.', ""),
        ] {
            assert!(opened(&signer, bad).is_none(), "{bad}");
        }
    }
}
