//! The OpenID provider, and its cached metadata.

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
use redflash_core::clock::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;
use url::Url;

use crate::oidc::authorization_response::AuthorizationResponse;
use crate::oidc::claims::{Claims, OtherClaims};
use crate::oidc::config::OidcConfig;
use crate::oidc::error::OidcError;
use crate::oidc::http::{address, send, sender};
use crate::oidc::identity;
use crate::oidc::identity::Identity;
use crate::oidc::login_state::{BegunLogin, LoginState};
use crate::oidc::token;
use crate::oidc::token::{ExpectedToken, TokenError, Tokens};

/// Time for which the metadata of the provider is cached.
const CACHE_TIME: Duration = Duration::from_secs(60 * 60);

type TokenRequestError = RequestTokenError<OidcError, StandardErrorResponse<CoreErrorResponseType>>;

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

/// An OpenID provider. Its metadata is fetched at the first login.
#[derive(Debug)]
pub(crate) struct Provider {
    /// The configuration.
    pub(crate) config: OidcConfig,
    cache: Mutex<Option<CachedMetadata>>,
}

/// The metadata of the provider, with its keys.
#[derive(Clone, Debug)]
struct CachedMetadata {
    metadata: Arc<CoreProviderMetadata>,
    fetched_at: Timestamp,
}

impl Provider {
    pub(crate) fn new(config: OidcConfig) -> Self {
        Self {
            config,
            cache: Mutex::new(None),
        }
    }

    /// Starts a login that returns to `redirect_uri`.
    ///
    /// # Errors
    ///
    /// * [`OidcError::Misconfigured`] - the issuer or the URL cannot be used.
    /// * [`OidcError::Unreachable`] - the metadata could not be fetched.
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

    /// Completes a login, and returns the identity of the user. The state must not be used again.
    ///
    /// # Errors
    ///
    /// * [`OidcError::Stale`] - the response belongs to another login, or its code was used.
    /// * [`OidcError::Denied`] - the provider refused the login.
    /// * [`OidcError::Misconfigured`] - the provider does not accept the client.
    /// * [`OidcError::Unreachable`] - it gave no usable response in time.
    /// * [`OidcError::Untrusted`] - its ID token is not valid.
    /// * [`OidcError::Nameless`] - the user claim is missing.
    pub(crate) async fn finish(
        &self,
        state: LoginState,
        response: AuthorizationResponse,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        let code = response.code(&state, &self.config.issuer, now)?;
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
            OidcError::Unreachable("its token response has no ID token".to_owned())
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

    /// Exchanges a code for tokens.
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
        exchanged.await.map_err(token_error)
    }

    /// Returns the metadata, from the cache if it is fresh. Concurrent logins wait for one request.
    async fn metadata(&self, now: Timestamp) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut cache = self.cache.lock().await;
        if let Some(cached) = &*cache
            && now.since(cached.fetched_at) < CACHE_TIME
        {
            return Ok(cached.metadata.clone());
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(|error| {
            OidcError::Misconfigured(format!("issuer {:?}: {error}", self.config.issuer))
        })?;
        let send = sender(&self.config.http);
        let discovered = CoreProviderMetadata::discover_async(issuer, &send).await;
        let metadata = Arc::new(discovered.map_err(|error| self.discovery_error(error))?);
        *cache = Some(CachedMetadata {
            metadata: metadata.clone(),
            fetched_at: now,
        });
        Ok(metadata)
    }

    /// Fetches the provider's current keys, and caches them.
    async fn new_keys(
        &self,
        metadata: &CoreProviderMetadata,
    ) -> Result<CoreJsonWebKeySet, OidcError> {
        let send = sender(&self.config.http);
        let fetched = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &send).await;
        let keys = fetched.map_err(|error| self.discovery_error(error))?;
        if let Some(cached) = &mut *self.cache.lock().await {
            cached.metadata = Arc::new((*cached.metadata).clone().set_jwks(keys.clone()));
        }
        Ok(keys)
    }

    fn client(
        &self,
        metadata: &CoreProviderMetadata,
        redirect_uri: &str,
    ) -> Result<Client, OidcError> {
        let redirect_uri = RedirectUrl::new(redirect_uri.to_owned()).map_err(|error| {
            OidcError::Misconfigured(format!(
                "{redirect_uri:?} is not a valid redirect URI: {error}"
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

    /// Adds the claims of the userinfo endpoint, if the provider has one.
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
            let reason = format!(
                "{} returned claims of another user",
                address(endpoint.url())
            );
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
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {}", token.secret())).map_err(|_| {
                OidcError::Unreachable("its access token is not a valid header value".to_owned())
            })?;
        bearer.set_sensitive(true);
        let mut request = reqwest::Request::new(reqwest::Method::GET, url.clone());
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let response = send(&self.config.http, request).await?;
        let reason = if response.status() == StatusCode::OK {
            match serde_json::from_slice(response.body()) {
                Ok(claims) => return Ok(claims),
                Err(_) => "did not return a JSON object".to_owned(),
            }
        } else {
            format!("responds with {}", response.status())
        };
        Err(OidcError::Unreachable(format!("{} {reason}", address(url))))
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

    /// Maps an error of the metadata request.
    fn discovery_error(&self, error: DiscoveryError<OidcError>) -> OidcError {
        let issuer = &self.config.issuer;
        match error {
            DiscoveryError::Request(error) => error,
            DiscoveryError::Response(status, ..) if status.is_server_error() => {
                OidcError::Unreachable(format!("{issuer} responds with {status}"))
            }
            DiscoveryError::Response(_, _, reason) => OidcError::Misconfigured(format!(
                "{issuer} does not publish its metadata or its keys: {reason}"
            )),
            DiscoveryError::Validation(reason) => OidcError::Misconfigured(format!(
                "{reason}: set issuer exactly as the provider publishes it"
            )),
            DiscoveryError::Parse(error) => OidcError::Misconfigured(format!(
                "the metadata of {issuer} is malformed at {}",
                error.path()
            )),
            error => OidcError::Misconfigured(format!("{issuer}: {error}")),
        }
    }
}

/// Returns the client authentication: Basic, which every provider has to support, unless it supports
/// only the request body.
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

/// Maps an error of the token request. The provider's texts may repeat secrets that we sent, so only its
/// error codes are passed on.
fn token_error(error: TokenRequestError) -> OidcError {
    use CoreErrorResponseType as Code;
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(response) => match response.error() {
            Code::InvalidGrant => {
                OidcError::Stale("the provider does not accept the code any more")
            }
            Code::InvalidClient | Code::UnauthorizedClient => OidcError::Misconfigured(
                "the provider does not accept our client_id and client_secret".to_owned(),
            ),
            Code::Extension(_) => {
                OidcError::Unreachable("it refuses tokens with an unknown error code".to_owned())
            }
            code => OidcError::Misconfigured(format!("the provider returns the error {code}")),
        },
        RequestTokenError::Parse(error, _) => {
            let path = error.path();
            let reason = format!("its token response is malformed at {path}");
            OidcError::Unreachable(reason)
        }
        RequestTokenError::Other(_) => {
            OidcError::Unreachable("its token response is not JSON".to_owned())
        }
    }
}
