//! A minimal provider that validates the requests of a client. Tests can falsify its responses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, SigningKey as _};
use redflash_core::clock::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use url::Url;

use crate::oidc::{AuthorizationResponse, OidcConfig, UserClaim};

pub(crate) const CLIENT: &str = "redflash";
pub(crate) const SECRET: &str = "a-client-secret";
pub(crate) const COME_BACK: &str = "https://alerts.example.org/admin/oidc/callback";
pub(crate) const ACCESS_TOKEN: &str = "an-access-token";
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A key that signs tokens.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) pair: KeyPair,
}

impl Key {
    pub(crate) fn rsa(name: &'static str) -> Self {
        /// A private RSA key, made for tests.
        const PEM: &str = include_str!("../../../redflash-channels/tests/it/vonage_messages.pem");
        let pair = KeyPair::from_pkcs8_pem_and_sign_algo(PEM, &PKCS_RSA_SHA256).unwrap();
        Self { name, pair }
    }

    pub(crate) fn elliptic(name: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self { name, pair }
    }

    pub(crate) fn edwards(name: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        Self { name, pair }
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self.raw().len() {
            32 => "EdDSA",
            65 => "ES256",
            _ => "RS256",
        }
    }

    pub(crate) fn raw(&self) -> &[u8] {
        self.pair.public_key_raw()
    }

    /// Returns its public key as a JWK.
    pub(crate) fn public(&self) -> Value {
        let raw = self.raw();
        let own = match self.algorithm() {
            "EdDSA" => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(raw)}),
            "ES256" => {
                let (x, y) = raw[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            // A sequence of two integers, the first of which begins with a zero.
            _ => json!({"kty": "RSA", "n": encode(&raw[9..265]), "e": encode(&raw[267..])}),
        };
        let mut key = json!({"kid": self.name, "use": "sig", "alg": self.algorithm()});
        key.as_object_mut()
            .unwrap()
            .extend(own.as_object().unwrap().clone());
        key
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let signature = self.pair.sign(text.as_bytes()).unwrap();
        match self.algorithm() {
            "ES256" => fixed(&signature),
            _ => signature,
        }
    }
}

/// Returns both integers of an ECDSA signature, in 32 bytes each.
fn fixed(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut signature = Vec::new();
    while let [2, length, after @ ..] = rest {
        let (integer, after) = after.split_at(usize::from(*length));
        let padded = [&[0; 32], integer].concat();
        signature.extend_from_slice(&padded[padded.len() - 32..]);
        rest = after;
    }
    signature
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The behavior of the provider, correct until a test changes it.
pub(crate) struct Behavior {
    /// The issuer; its own URL if `None`.
    pub(crate) issuer: Option<String>,
    pub(crate) keys: Vec<Value>,
    pub(crate) signer: Key,
    /// The claims of the user, and those that replace correct ones; null removes one.
    pub(crate) claims: Map<String, Value>,
    pub(crate) user_info: Option<Value>,
    /// Makes a forged token from the correct claims.
    pub(crate) forge: Option<fn(&Key, &Value) -> String>,
    /// The path that never responds.
    pub(crate) hangs: Option<&'static str>,
    /// Padding that makes responses longer.
    pub(crate) padding: String,
    /// Number of requests by path.
    pub(crate) requests: BTreeMap<&'static str, usize>,
    logins: BTreeMap<String, BTreeMap<String, String>>,
}

/// The provider.
pub(crate) struct MockProvider {
    pub(crate) url: String,
    pub(crate) behavior: Arc<Mutex<Behavior>>,
}

#[derive(Clone)]
struct Site {
    url: String,
    behavior: Arc<Mutex<Behavior>>,
}

impl MockProvider {
    pub(crate) async fn start(signer: Key) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let claims = json!({"sub": "248289", "preferred_username": "ada", "name": "Ada Lovelace"});
        let behavior = Arc::new(Mutex::new(Behavior {
            issuer: None,
            keys: vec![signer.public()],
            signer,
            claims: claims.as_object().unwrap().clone(),
            user_info: None,
            forge: None,
            hangs: None,
            padding: String::new(),
            requests: BTreeMap::new(),
            logins: BTreeMap::new(),
        }));
        let site = Site {
            url: url.clone(),
            behavior: behavior.clone(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(user_info))
            .with_state(site);
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, behavior }
    }

    /// Returns the configuration of a client of this provider.
    pub(crate) fn config(&self) -> OidcConfig {
        OidcConfig {
            issuer: self.url.clone(),
            client_id: CLIENT.into(),
            client_secret: Some(SecretString::from(SECRET)),
            scopes: OidcConfig::SCOPES.map(Into::into).into(),
            label: "Log in".into(),
            user_claim: UserClaim::PreferredUsername,
            role_claim: None,
            admin_values: vec!["ops".into()],
            viewer_values: vec!["staff".into()],
            create_users: false,
            timeout: OidcConfig::TIMEOUT,
            http: redflash_tests::http_client(),
        }
    }

    /// Logs a user in, and returns the query of the redirect URI.
    pub(crate) async fn log_in(&self, url: &Url) -> BTreeMap<String, String> {
        let mut query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["redirect_uri"], COME_BACK);
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["scope"], "openid profile email");
        let state = query.remove("state").unwrap();
        let code = format!("code-for-{}", query["nonce"]);
        self.behavior
            .lock()
            .await
            .logins
            .insert(code.clone(), query);
        [("code", code), ("state", state), ("iss", self.url.clone())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }
}

pub(crate) fn answer(query: &BTreeMap<String, String>) -> AuthorizationResponse {
    serde_json::from_value(json!(query)).unwrap()
}

impl Site {
    /// Counts a request, and never completes if the path is to hang.
    async fn record_request(&self, path: &'static str) {
        let mut behavior = self.behavior.lock().await;
        *behavior.requests.entry(path).or_default() += 1;
        if behavior.hangs == Some(path) {
            drop(behavior);
            std::future::pending::<()>().await;
        }
    }
}

async fn discovery(State(site): State<Site>) -> Json<Value> {
    site.record_request("discovery").await;
    let (url, behavior) = (&site.url, site.behavior.lock().await);
    Json(json!({
        "issuer": behavior.issuer.as_ref().unwrap_or(url),
        "authorization_endpoint": format!("{url}/auth"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/me"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "padding": behavior.padding,
    }))
}

async fn keys(State(site): State<Site>) -> Json<Value> {
    site.record_request("keys").await;
    Json(json!({"keys": site.behavior.lock().await.keys}))
}

async fn user_info(State(site): State<Site>, headers: HeaderMap) -> Response {
    site.record_request("userinfo").await;
    let bearer = format!("Bearer {ACCESS_TOKEN}");
    let user_info = site.behavior.lock().await.user_info.clone();
    match user_info {
        Some(user_info) if headers[AUTHORIZATION] == bearer => Json(user_info).into_response(),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn token(
    State(site): State<Site>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let refused = |code| (StatusCode::BAD_REQUEST, Json(json!({"error": code}))).into_response();
    site.record_request("token").await;
    let login = BASE64_STANDARD.encode(format!("{CLIENT}:{SECRET}"));
    if headers
        .get(AUTHORIZATION)
        .is_none_or(|given| *given != format!("Basic {login}"))
    {
        return refused("invalid_client");
    }
    let mut behavior = site.behavior.lock().await;
    let Some(login) = behavior.logins.remove(&form["code"]) else {
        return refused("invalid_grant");
    };
    let proven = encode(Sha256::digest(&form["code_verifier"]));
    if proven != login["code_challenge"] || form["redirect_uri"] != login["redirect_uri"] {
        return refused("invalid_grant");
    }
    if form["grant_type"] != "authorization_code" {
        return refused("unsupported_grant_type");
    }
    let claims = claims(&site.url, &login["nonce"], &behavior);
    let token = match behavior.forge {
        Some(forge) => forge(&behavior.signer, &claims),
        None => signed(&behavior.signer, &claims),
    };
    Json(json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": token}))
        .into_response()
}

fn claims(url: &str, nonce: &str, behavior: &Behavior) -> Value {
    let now = NOW.since(Timestamp::default()).as_secs();
    let hash = Sha256::digest(ACCESS_TOKEN);
    let mut claims = json!({
        "iss": url, "aud": CLIENT, "nonce": nonce, "iat": now,
        "exp": now + Duration::from_secs(300).as_secs(),
    });
    let all = claims.as_object_mut().unwrap();
    // Ed25519 hashes with more bits; providers may leave this out.
    if behavior.signer.algorithm() != "EdDSA" {
        all.insert("at_hash".into(), encode(&hash[..16]).into());
    }
    all.extend(behavior.claims.clone());
    all.retain(|_, value| !value.is_null());
    claims
}

/// Returns a correctly signed token.
pub(crate) fn signed(key: &Key, claims: &Value) -> String {
    let header = json!({"alg": key.algorithm(), "kid": key.name, "typ": "JWT"});
    let text = unsigned(&header, claims);
    let signature = encode(key.sign(&text));
    format!("{text}.{signature}")
}

/// Returns the header and the claims of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    )
}
