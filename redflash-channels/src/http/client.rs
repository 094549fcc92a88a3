//! The HTTP client, which sends each request once.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redflash_core::message::SendError;
use reqwest::{Response, Url, header};
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, retry_after};
use super::guard::{Blocked, Guard};
use super::options::HttpOptions;
use super::proxy::Proxies;
use super::request::Request;
use super::tls;
use super::tunnel::{Tunnel, TunnelError};
use crate::ConfigError;

/// Maximum size of an answer's body; the rest is not read.
const MAX_BODY: usize = 16 * 1024;
/// Maximum size of the answer to several messages, which may repeat their texts.
#[cfg(feature = "sms")]
const MAX_BATCH_BODY: usize = 1024 * 1024;
/// Maximum idle time of a connection.
const IDLE: Duration = Duration::from_secs(30);

/// The `User-Agent` of requests.
const USER_AGENT: &str = concat!("RedFlash/", env!("CARGO_PKG_VERSION"));

/// Sends requests without following redirects, with one deadline for name resolution, connection,
/// headers and body.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    proxies: Proxies,
    tunnel: Tunnel,
    guard: Guard,
    deadline: Duration,
    max_body: usize,
}

impl Client {
    /// Creates a client that connects only to addresses that the guard permits.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] at `proxy` or `ca_file`, or without a key if this machine trusts no
    /// certificates.
    pub(crate) fn new(
        guard: Guard,
        deadline: Duration,
        options: &HttpOptions,
    ) -> Result<Self, ConfigError> {
        let tls = tls::config(options.ca_file.as_deref())?;
        let proxies = Proxies::new(options.proxy.as_ref())?;
        let times = (deadline / 2, IDLE);
        let tunnel = Tunnel::new(proxies.clone(), guard.clone(), tls.clone(), times);
        let builder = builder(deadline, tls).dns_resolver(Arc::new(guard.clone()));
        let http = builder.build().map_err(|error| ConfigError {
            key: None,
            reason: format!(
                "cannot create an HTTP client: {}",
                redflash_core::error_chain(&error)
            ),
        })?;
        Ok(Self {
            http,
            proxies,
            tunnel,
            guard,
            deadline,
            max_body: MAX_BODY,
        })
    }

    /// Returns a client with another deadline.
    #[cfg(feature = "x")]
    pub(crate) fn within(&self, deadline: Duration) -> Self {
        Self {
            deadline,
            ..self.clone()
        }
    }

    /// Returns a client for requests with several messages, whose answers are longer.
    #[cfg(feature = "sms")]
    pub(crate) fn for_batches(self) -> Self {
        Self {
            max_body: MAX_BATCH_BODY,
            ..self
        }
    }

    /// Sends a request once.
    ///
    /// Replaces a pooled connection that turns out to be closed before the request begins. Once bytes are
    /// written, a connection that closes without an answer leaves the outcome unknown, and the request is
    /// not repeated (RFC 9110, section 9.2.2).
    ///
    /// # Errors
    ///
    /// * [`SendError::Unroutable`] - this gateway may not connect to the address; another may.
    /// * [`SendError::Unreachable`] - no connection was established.
    /// * [`SendError::Unknown`] - the request may have arrived, but there was no answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, SendError> {
        self.check_literal(&request.url)?;
        let end = Instant::now() + self.deadline;
        let proxied = self.proxies.of(&request.url).is_some();
        let sending = self
            .http
            .request(request.method, request.url)
            .headers(request.headers)
            .body(request.body);
        let response = if proxied {
            let sending = sending.header(header::USER_AGENT, USER_AGENT);
            let request = sending.build().map_err(failure)?;
            let sending = self.tunnel.send(request);
            within(end, sending).await?.map_err(tunnel_failure)?
        } else {
            within(end, sending.send()).await?.map_err(failure)?
        };
        let status = response.status();
        let headers = response.headers().clone();
        Ok(Answer {
            status,
            retry_after: retry_after(&headers, request.now),
            headers,
            body: body(response, end, self.max_body).await,
        })
    }

    /// Checks a literal address, which never reaches the resolver.
    fn check_literal(&self, url: &Url) -> Result<(), SendError> {
        let address = match url.host() {
            Some(url::Host::Ipv4(v4)) => v4.into(),
            Some(url::Host::Ipv6(v6)) => v6.into(),
            _ => return Ok(()),
        };
        self.guard.check(address).map_err(Blocked::refusal)
    }
}

fn builder(deadline: Duration, tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(USER_AGENT)
        // Shorter than the deadline, so that exceeding it means that nothing was sent.
        .connect_timeout(deadline / 2)
        .pool_idle_timeout(IDLE)
}

async fn within<T>(end: Instant, work: impl Future<Output = T>) -> Result<T, SendError> {
    timeout_at(end, work)
        .await
        .map_err(|_| SendError::Unknown("no answer in time".into()))
}

/// Returns the send error for a request that got no answer.
fn failure(error: reqwest::Error) -> SendError {
    // The URL may contain a token.
    let error = error.without_url();
    if let Some(blocked) = cause::<Blocked>(&error) {
        return (*blocked).refusal();
    }
    if error.is_builder() {
        return SendError::Rejected {
            reason: redflash_core::error_chain(&error),
        };
    }
    if error.is_connect() {
        return SendError::Unreachable(error.into());
    }
    SendError::Unknown(error.into())
}

/// Returns the send error for a request through a proxy that got no answer.
fn tunnel_failure(error: TunnelError) -> SendError {
    if let Some(blocked) = cause::<Blocked>(&error) {
        return (*blocked).refusal();
    }
    match error {
        TunnelError::Build(_) => SendError::Rejected {
            reason: redflash_core::error_chain(&error),
        },
        TunnelError::Send(_) if error.is_connect() => SendError::Unreachable(error.into()),
        TunnelError::Send(_) => SendError::Unknown(error.into()),
    }
}

fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Reads at most `max` bytes of a body before the deadline.
async fn body(mut response: Response, end: Instant, max: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < max {
        let Ok(Ok(Some(chunk))) = timeout_at(end, response.chunk()).await else {
            break;
        };
        body.extend_from_slice(&chunk);
    }
    body.truncate(max);
    body
}
