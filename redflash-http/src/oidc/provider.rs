//! The provider, and what is known of it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreProviderMetadata,
    CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse,
};
use openidconnect::{
    AccessToken, AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, StandardErrorResponse, TokenResponse,
};
use redflash_core::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;
use url::Url;

use crate::oidc::authorization_response::AuthorizationResponse;
use crate::oidc::claims::{Claims, OtherClaims};
use crate::oidc::config::OidcConfig;
use crate::oidc::error::OidcError;
use crate::oidc::http::{place, send, sender};
use crate::oidc::identity;
use crate::oidc::identity::Identity;
use crate::oidc::login_state::{BegunLogin, LoginState};
use crate::oidc::token;
use crate::oidc::token::{ExpectedToken, TokenError, Tokens};

/// How long it counts what a provider has said of itself.
const FRESH: Duration = Duration::from_secs(60 * 60);

type TokenFault = RequestTokenError<OidcError, StandardErrorResponse<CoreErrorResponseType>>;

type Client = openidconnect::Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An OpenID provider. It is asked what it offers when somebody logs in, not before.
#[derive(Debug)]
pub(crate) struct Provider {
    /// What the provider is used for.
    pub(crate) config: OidcConfig,
    known: Mutex<Option<Known>>,
}

/// What a provider has said of itself, with its keys.
#[derive(Clone, Debug)]
struct Known {
    metadata: Arc<CoreProviderMetadata>,
    asked_at: Timestamp,
}

impl Provider {
    pub(crate) fn new(config: OidcConfig) -> Self {
        Self {
            config,
            known: Mutex::new(None),
        }
    }

    /// Begins a login that ends at `redirect_uri`.
    ///
    /// # Errors
    ///
    /// * [`OidcError::Misconfigured`] - the issuer or the URL cannot be used.
    /// * [`OidcError::Unreachable`] - the provider does not say what it offers.
    pub(crate) async fn begin(
        &self,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<BegunLogin, OidcError> {
        let metadata = self.in_time(self.metadata(now)).await?;
        let client = self.client(&metadata, redirect_uri)?;
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = self.config.scopes.iter().cloned().map(Scope::new);
        let (url, state, nonce) = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes.filter(|scope| scope.as_str() != "openid"))
            .set_pkce_challenge(challenge)
            .url();
        let state = LoginState {
            state: state.into_secret().into(),
            nonce: nonce.secret().as_str().into(),
            verifier: verifier.into_secret().into(),
            begun_at: now,
        };
        Ok(BegunLogin { url, state })
    }

    /// Ends a login: says who it is. What is state must not be used again.
    ///
    /// # Errors
    ///
    /// * [`OidcError::Stale`] - the answer belongs to no login begun here, or its code is used up.
    /// * [`OidcError::Denied`] - the provider has logged nobody in.
    /// * [`OidcError::Misconfigured`] - the provider does not take us for its client.
    /// * [`OidcError::Unreachable`] - it gave no usable answer in time.
    /// * [`OidcError::Untrusted`] - its ID token is not acceptable.
    /// * [`OidcError::Nameless`] - the claim that names the user is missing.
    pub(crate) async fn finish(
        &self,
        state: LoginState,
        answer: AuthorizationResponse,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        let code = answer.code(&state, &self.config.issuer, now)?;
        self.in_time(self.identify(state, &code, redirect_uri, now))
            .await
    }

    async fn identify(
        &self,
        state: LoginState,
        code: &SecretString,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        let metadata = self.metadata(now).await?;
        let client = self.client(&metadata, redirect_uri)?;
        let tokens = self.exchange(&client, &state, code).await?;
        let token = tokens.id_token().ok_or_else(|| {
            OidcError::Unreachable("it gives no ID token for the code".to_owned())
        })?;
        let expected = ExpectedToken {
            issuer: metadata.issuer(),
            client_id: client.client_id(),
            nonce: &Nonce::new(state.nonce.expose_secret().to_owned()),
            access_token: tokens.access_token(),
            now,
        };
        let checked = match token::check(token, metadata.jwks(), &expected) {
            Err(TokenError::Key) => {
                let keys = self.new_keys(&metadata).await?;
                token::check(token, &keys, &expected)
            }
            checked => checked,
        };
        let (subject, mut claims) = checked?;
        if !identity::is_complete(&claims, &self.config) {
            self.complete(&mut claims, &subject, &metadata, tokens.access_token())
                .await?;
        }
        Identity::new(subject, &claims, &self.config)
    }

    /// Changes a code for tokens.
    async fn exchange(
        &self,
        client: &Client,
        state: &LoginState,
        code: &SecretString,
    ) -> Result<Tokens, OidcError> {
        let code = AuthorizationCode::new(code.expose_secret().to_owned());
        let verifier = PkceCodeVerifier::new(state.verifier.expose_secret().to_owned());
        let request = client.exchange_code(code).map_err(|_| {
            OidcError::Misconfigured("the provider has no token endpoint".to_owned())
        })?;
        let send = sender(&self.config.http);
        let exchanged = request.set_pkce_verifier(verifier).request_async(&send);
        exchanged.await.map_err(refused)
    }

    /// What the provider offers, asked for again once it is old. Others wait meanwhile.
    async fn metadata(&self, now: Timestamp) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known
            && now.since(known.asked_at) < FRESH
        {
            return Ok(known.metadata.clone());
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(|fault| {
            OidcError::Misconfigured(format!("issuer {:?}: {fault}", self.config.issuer))
        })?;
        let send = sender(&self.config.http);
        let discovered = CoreProviderMetadata::discover_async(issuer, &send).await;
        let metadata = Arc::new(discovered.map_err(|fault| self.undiscovered(fault))?);
        *known = Some(Known {
            metadata: metadata.clone(),
            asked_at: now,
        });
        Ok(metadata)
    }

    /// The provider's keys as they are now, which are kept.
    async fn new_keys(
        &self,
        metadata: &CoreProviderMetadata,
    ) -> Result<CoreJsonWebKeySet, OidcError> {
        let send = sender(&self.config.http);
        let fetched = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &send).await;
        let keys = fetched.map_err(|fault| self.undiscovered(fault))?;
        if let Some(known) = &mut *self.known.lock().await {
            known.metadata = Arc::new((*known.metadata).clone().set_jwks(keys.clone()));
        }
        Ok(keys)
    }

    fn client(
        &self,
        metadata: &CoreProviderMetadata,
        redirect_uri: &str,
    ) -> Result<Client, OidcError> {
        let redirect_uri = RedirectUrl::new(redirect_uri.to_owned()).map_err(|fault| {
            OidcError::Misconfigured(format!(
                "{redirect_uri:?} is no URL to come back to: {fault}"
            ))
        })?;
        let id = ClientId::new(self.config.client_id.clone());
        let secret = self.config.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let client = Client::from_provider_metadata(metadata.clone(), id, secret);
        Ok(client
            .set_auth_type(auth_type(metadata))
            .set_redirect_uri(redirect_uri))
    }

    /// Adds what the provider says of a user elsewhere, if it has such a place.
    async fn complete(
        &self,
        claims: &mut Claims,
        subject: &str,
        metadata: &CoreProviderMetadata,
        token: &AccessToken,
    ) -> Result<(), OidcError> {
        let Some(endpoint) = metadata.userinfo_endpoint() else {
            return Ok(());
        };
        let others = self.user_info(endpoint.url(), token).await?;
        if others.get("sub").and_then(Value::as_str) != Some(subject) {
            let reason = format!("{} speaks of another user", place(endpoint.url()));
            return Err(OidcError::Untrusted(reason));
        }
        claims.complete(others);
        Ok(())
    }

    async fn user_info(
        &self,
        url: &Url,
        token: &AccessToken,
    ) -> Result<Map<String, Value>, OidcError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret()))
            .map_err(|_| OidcError::Unreachable("its access token is no text".to_owned()))?;
        bearer.set_sensitive(true);
        let mut request = reqwest::Request::new(reqwest::Method::GET, url.clone());
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = send(&self.config.http, request).await?;
        let reason = if answer.status() == StatusCode::OK {
            match serde_json::from_slice(answer.body()) {
                Ok(claims) => return Ok(claims),
                Err(_) => "answers with something that is no JSON object".to_owned(),
            }
        } else {
            format!("answers {}", answer.status())
        };
        Err(OidcError::Unreachable(format!("{} {reason}", place(url))))
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, OidcError>>,
    ) -> Result<T, OidcError> {
        let time = self.config.timeout;
        timeout(time, work).await.unwrap_or_else(|_| {
            let reason = format!("{} took longer than {time:?}", self.config.issuer);
            Err(OidcError::Unreachable(reason))
        })
    }

    /// What follows from a provider that does not say what it offers.
    fn undiscovered(&self, fault: DiscoveryError<OidcError>) -> OidcError {
        let issuer = &self.config.issuer;
        match fault {
            DiscoveryError::Request(fault) => fault,
            DiscoveryError::Response(status, ..) if status.is_server_error() => {
                OidcError::Unreachable(format!("{issuer} answers {status}"))
            }
            DiscoveryError::Response(_, _, reason) => OidcError::Misconfigured(format!(
                "{issuer} does not say what it offers, or which keys it has: {reason}"
            )),
            DiscoveryError::Validation(reason) => OidcError::Misconfigured(format!(
                "{reason}: write the issuer exactly as the provider calls itself"
            )),
            DiscoveryError::Parse(fault) => OidcError::Misconfigured(format!(
                "what {issuer} says of itself cannot be read at {}",
                fault.path()
            )),
            fault => OidcError::Misconfigured(format!("{issuer}: {fault}")),
        }
    }
}

/// How we prove to be the client: in the way that needs no support, unless only the other has it.
fn auth_type(metadata: &CoreProviderMetadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let has = |method| methods.is_some_and(|methods| methods.contains(&method));
    if has(CoreClientAuthMethod::ClientSecretPost) && !has(CoreClientAuthMethod::ClientSecretBasic)
    {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    }
}

/// What follows from a code for which the provider gives no tokens. Its own words may repeat what we
/// sent, so only its error codes are passed on.
fn refused(fault: TokenFault) -> OidcError {
    use CoreErrorResponseType as Code;
    match fault {
        RequestTokenError::Request(fault) => fault,
        RequestTokenError::ServerResponse(told) => match told.error() {
            Code::InvalidGrant => OidcError::Stale("the provider does not know the code any more"),
            Code::InvalidClient | Code::UnauthorizedClient => OidcError::Misconfigured(
                "the provider does not accept our client_id and client_secret".to_owned(),
            ),
            Code::Extension(_) => {
                OidcError::Unreachable("it gives no tokens, for a reason of its own".to_owned())
            }
            code => OidcError::Misconfigured(format!("the provider says {code}")),
        },
        RequestTokenError::Parse(fault, _) => {
            let path = fault.path();
            let reason = format!("what it gives for the code cannot be read at {path}");
            OidcError::Unreachable(reason)
        }
        RequestTokenError::Other(_) => {
            OidcError::Unreachable("what it gives for the code is no JSON".to_owned())
        }
    }
}
