//! The state of an OpenID login, kept in a signed cookie of the browser that started it.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use redflash_core::model::Session;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::OidcConfig;
use crate::admin::auth::cookie;
use crate::base_path::BasePath;
use crate::oidc::{LoginState, Provider};

const COOKIE: &str = "__Host-rf-oidc";

/// The OpenID provider, and the signer of its logins' cookies.
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

/// A login that has started.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PendingLogin {
    #[serde(rename = "remembered")]
    pub(crate) state: LoginState,
    /// The page to return to.
    pub(crate) next: String,
}

/// Signs the cookie of a login. The cookie is not encrypted: only its browser has it, and it is useless
/// without the code that the provider gives to the same browser.
#[derive(Debug)]
pub(crate) struct StateSigner(SecretString);

impl StateSigner {
    /// Creates a signer with the client secret, which all nodes share, or else with a key of this node.
    pub(crate) fn new(client_secret: Option<&SecretString>) -> Self {
        Self(client_secret.cloned().unwrap_or_else(Session::secret))
    }

    /// Returns the cookie of a login.
    ///
    /// * `base` - the base path, which is part of the cookie's name.
    pub(crate) fn cookie(&self, base: &BasePath, pending: &PendingLogin) -> Cookie<'static> {
        let json = serde_json::to_vec(pending).expect("texts and a number are JSON");
        let body = BASE64_URL_SAFE_NO_PAD.encode(json);
        let signature = self.mac(&body).finalize().into_bytes();
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        cookie::new(base.cookie(COOKIE), &format!("{body}.{signature}").into())
    }

    /// Returns the login of a browser, if its cookie has a valid signature.
    pub(crate) fn verify(&self, base: &BasePath, headers: &HeaderMap) -> Option<PendingLogin> {
        let jar = CookieJar::from_headers(headers);
        let (body, signature) = jar.get(&base.cookie(COOKIE))?.value().split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.mac(body).verify_slice(&signature).ok()?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(body).ok()?;
        serde_json::from_slice(&json).ok()
    }

    fn mac(&self, body: &str) -> Hmac<Sha256> {
        let key = self.0.expose_secret().as_bytes();
        let mut mac = Hmac::new_from_slice(key).expect("HMAC accepts keys of any length");
        mac.update(b"a pending login of RedFlash\0");
        mac.update(body.as_bytes());
        mac
    }
}

/// Returns the cookie that deletes it.
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
        signer.verify(&BasePath::default(), &headers)
    }

    #[test]
    fn verifies_cookie_of_every_node_with_the_same_secret() {
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
    fn rejects_changed_cookie() {
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
