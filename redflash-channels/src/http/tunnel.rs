//! Requests through a proxy: a tunnel (`CONNECT`, RFC 9110, section 9.3.6) for each connection.
//!
//! Names of webhooks are resolved and checked here, and the proxy is asked for the checked address, so
//! that a proxy cannot bypass the guard. TLS (SNI and the certificate check) and `Host` still use the
//! name. For vendors, the proxy is asked for the name.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use redflash_core::BoxError;
use reqwest::{Body, Response};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;
use url::Url;

use super::guard::Guard;
use super::proxy::{Proxies, Proxy};

/// Sends requests through the proxy of their URL.
#[derive(Clone, Debug)]
pub(super) struct Tunnel {
    client: legacy::Client<InTime<HttpsConnector<Dial>>, Body>,
}

impl Tunnel {
    /// Creates a client.
    ///
    /// * `connect` - time limit of connecting, including to the proxy.
    /// * `idle` - maximum idle time of a connection.
    pub(super) fn new(
        proxies: Proxies,
        guard: Guard,
        tls: rustls::ClientConfig,
        (connect, idle): (Duration, Duration),
    ) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let to_proxy = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let dial = Dial {
            to_proxy,
            proxies,
            guard,
        };
        let through = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(dial);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(idle)
            .build(InTime {
                inner: through,
                limit: connect,
            });
        Self { client }
    }

    /// Sends a request once.
    pub(super) async fn send(&self, request: reqwest::Request) -> Result<Response, TunnelError> {
        let request = http::Request::<Body>::try_from(request)
            .map_err(|error| TunnelError::Build(error.without_url()))?;
        let response = self.client.request(request).await?;
        Ok(response.map(Body::wrap).into())
    }
}

/// The error of a request through a proxy that got no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    /// The request is invalid.
    #[error(transparent)]
    Build(reqwest::Error),
    /// The exchange failed.
    #[error(transparent)]
    Send(#[from] legacy::Error),
}

impl TunnelError {
    /// Returns true if no connection was established.
    pub(super) fn is_connect(&self) -> bool {
        matches!(self, Self::Send(error) if error.is_connect())
    }
}

/// Opens tunnels.
#[derive(Clone, Debug)]
struct Dial {
    to_proxy: HttpsConnector<HttpConnector>,
    proxies: Proxies,
    guard: Guard,
}

type Io = MaybeHttpsStream<TokioIo<TcpStream>>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// The error of a proxy that opened no tunnel.
#[derive(Debug)]
struct ProxyError {
    proxy: String,
    cause: BoxError,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no tunnel through the proxy {}", self.proxy)
    }
}

impl Error for ProxyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

impl Dial {
    async fn connect(self, to: Uri) -> Result<Io, BoxError> {
        let url = Url::parse(&to.to_string())?;
        let proxy = self.proxies.of(&url).ok_or("no proxy is configured")?;
        let host = to.host().ok_or("the URL has no host")?;
        let port = url.port_or_known_default().ok_or("the URL has no port")?;
        if self.guard.goes_by_name() {
            return self.open(&proxy, host, port).await;
        }
        let mut last: BoxError = format!("{host} has no address").into();
        for address in self.guard.addresses(host).await? {
            let host = match address.ip() {
                std::net::IpAddr::V6(v6) => format!("[{v6}]"),
                v4 @ std::net::IpAddr::V4(_) => v4.to_string(),
            };
            match self.open(&proxy, &host, port).await {
                Ok(io) => return Ok(io),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn open(&self, proxy: &Proxy, host: &str, port: u16) -> Result<Io, BoxError> {
        let mut tunnel = proxy::Tunnel::new(proxy.url.clone(), self.to_proxy.clone());
        if let Some(authorization) = &proxy.authorization {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        let to: Uri = format!("http://{host}:{port}").parse()?;
        let failed = |error| ProxyError {
            proxy: proxy
                .url
                .authority()
                .map(ToString::to_string)
                .unwrap_or_default(),
            cause: Box::new(error),
        };
        std::future::poll_fn(|context| tunnel.poll_ready(context))
            .await
            .map_err(failed)?;
        Ok(tunnel.call(to).await.map_err(failed)?)
    }
}

impl Service<Uri> for Dial {
    type Response = Io;
    type Error = BoxError;
    type Future = Connecting<Io>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().connect(to))
    }
}

/// Limits the time of connecting.
#[derive(Clone, Debug)]
struct InTime<C> {
    inner: C,
    limit: Duration,
}

impl<C: Service<Uri, Error = BoxError>> Service<Uri> for InTime<C>
where
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = timeout(self.limit, self.inner.call(to));
        Box::pin(async move {
            let connected = connecting.await;
            connected.unwrap_or_else(|_| Err("no connection through the proxy in time".into()))
        })
    }
}
