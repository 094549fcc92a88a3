//! A provider as small as can be, that checks what a client sends. What it says can be falsified.

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
use redflash_core::Timestamp;
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

    /// What the provider publishes of it.
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

/// Both integers of an ECDSA signature, in 32 bytes each.
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

/// What the provider says, right until a test changes it.
pub(crate) struct Says {
    /// Whom it says it is; its own URL without.
    pub(crate) issuer: Option<String>,
    pub(crate) keys: Vec<Value>,
    pub(crate) signer: Key,
    /// The claims of the user, and those that replace what is right; null takes one away.
    pub(crate) claims: Map<String, Value>,
    pub(crate) user_info: Option<Value>,
    /// Makes the token instead, of the right claims.
    pub(crate) forge: Option<fn(&Key, &Value) -> String>,
    /// The path that is never answered.
    pub(crate) hangs: Option<&'static str>,
    /// Something that makes every answer longer.
    pub(crate) padding: String,
    /// How often each path was asked for.
    pub(crate) asked: BTreeMap<&'static str, usize>,
    logins: BTreeMap<String, BTreeMap<String, String>>,
}

/// The provider.
pub(crate) struct MockProvider {
    pub(crate) url: String,
    pub(crate) says: Arc<Mutex<Says>>,
}

#[derive(Clone)]
struct Site {
    url: String,
    says: Arc<Mutex<Says>>,
}

impl MockProvider {
    pub(crate) async fn start(signer: Key) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let claims = json!({"sub": "248289", "preferred_username": "ada", "name": "Ada Lovelace"});
        let says = Arc::new(Mutex::new(Says {
            issuer: None,
            keys: vec![signer.public()],
            signer,
            claims: claims.as_object().unwrap().clone(),
            user_info: None,
            forge: None,
            hangs: None,
            padding: String::new(),
            asked: BTreeMap::new(),
            logins: BTreeMap::new(),
        }));
        let site = Site {
            url: url.clone(),
            says: says.clone(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(user_info))
            .with_state(site);
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, says }
    }

    /// What a client of this provider is configured with.
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

    /// What a browser brings back, of a user who logs in.
    pub(crate) async fn log_in(&self, url: &Url) -> BTreeMap<String, String> {
        let mut query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["redirect_uri"], COME_BACK);
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["scope"], "openid profile email");
        let state = query.remove("state").unwrap();
        let code = format!("code-for-{}", query["nonce"]);
        self.says.lock().await.logins.insert(code.clone(), query);
        [("code", code), ("state", state), ("iss", self.url.clone())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }
}

pub(crate) fn answer(query: &BTreeMap<String, String>) -> AuthorizationResponse {
    serde_json::from_value(json!(query)).unwrap()
}

impl Site {
    /// Counts a question, and leaves it unanswered if that is wanted.
    async fn asked(&self, path: &'static str) {
        let mut says = self.says.lock().await;
        *says.asked.entry(path).or_default() += 1;
        if says.hangs == Some(path) {
            drop(says);
            std::future::pending::<()>().await;
        }
    }
}

async fn discovery(State(site): State<Site>) -> Json<Value> {
    site.asked("discovery").await;
    let (url, says) = (&site.url, site.says.lock().await);
    Json(json!({
        "issuer": says.issuer.as_ref().unwrap_or(url),
        "authorization_endpoint": format!("{url}/auth"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/me"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "padding": says.padding,
    }))
}

async fn keys(State(site): State<Site>) -> Json<Value> {
    site.asked("keys").await;
    Json(json!({"keys": site.says.lock().await.keys}))
}

async fn user_info(State(site): State<Site>, headers: HeaderMap) -> Response {
    site.asked("userinfo").await;
    let bearer = format!("Bearer {ACCESS_TOKEN}");
    let said = site.says.lock().await.user_info.clone();
    match said {
        Some(said) if headers[AUTHORIZATION] == bearer => Json(said).into_response(),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn token(
    State(site): State<Site>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let refused = |code| (StatusCode::BAD_REQUEST, Json(json!({"error": code}))).into_response();
    site.asked("token").await;
    let login = BASE64_STANDARD.encode(format!("{CLIENT}:{SECRET}"));
    if headers
        .get(AUTHORIZATION)
        .is_none_or(|given| *given != format!("Basic {login}"))
    {
        return refused("invalid_client");
    }
    let mut says = site.says.lock().await;
    let Some(login) = says.logins.remove(&form["code"]) else {
        return refused("invalid_grant");
    };
    let proven = encode(Sha256::digest(&form["code_verifier"]));
    if proven != login["code_challenge"] || form["redirect_uri"] != login["redirect_uri"] {
        return refused("invalid_grant");
    }
    if form["grant_type"] != "authorization_code" {
        return refused("unsupported_grant_type");
    }
    let claims = claims(&site.url, &login["nonce"], &says);
    let token = match says.forge {
        Some(forge) => forge(&says.signer, &claims),
        None => signed(&says.signer, &claims),
    };
    Json(json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": token}))
        .into_response()
}

fn claims(url: &str, nonce: &str, says: &Says) -> Value {
    let now = NOW.since(Timestamp::default()).as_secs();
    let hash = Sha256::digest(ACCESS_TOKEN);
    let mut claims = json!({
        "iss": url, "aud": CLIENT, "nonce": nonce, "iat": now,
        "exp": now + Duration::from_secs(300).as_secs(),
    });
    let all = claims.as_object_mut().unwrap();
    // Ed25519 hashes with more bits; providers may leave this out.
    if says.signer.algorithm() != "EdDSA" {
        all.insert("at_hash".into(), encode(&hash[..16]).into());
    }
    all.extend(says.claims.clone());
    all.retain(|_, value| !value.is_null());
    claims
}

/// A token as it should be.
pub(crate) fn signed(key: &Key, claims: &Value) -> String {
    let header = json!({"alg": key.algorithm(), "kid": key.name, "typ": "JWT"});
    let text = unsigned(&header, claims);
    let signature = encode(key.sign(&text));
    format!("{text}.{signature}")
}

/// The head and the claims of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    )
}
