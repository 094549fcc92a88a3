//! A raising system.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::PATIENCE;

/// A raising system: an HTTP client that follows no redirects and keeps its connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
}

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case; of several of one name, one a line.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

/// An HTTP client that follows no redirects and keeps its connections.
pub fn http_client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

impl Client {
    /// A client of the server at this address.
    pub fn new(address: SocketAddr) -> Self {
        let http = http_client();
        Self { http, address }
    }

    /// Raises an alert with a form.
    ///
    /// * `target` - such as `event/disk-full`.
    pub async fn raise(&self, target: &str, key: &str, fields: &[(&str, &str)]) -> Answer {
        self.raise_with(target, key, fields, &[]).await
    }

    /// Raises an alert with a form and more headers.
    pub async fn raise_with(
        &self,
        target: &str,
        key: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("api_key", key)
            .extend_pairs(fields)
            .finish();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = format!("/{path}/?{query}");
        self.send("POST", path.trim_end_matches('?'), &all, form)
            .await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Gets a path with a key in the `Authorization` header.
    pub async fn get_as(&self, path: &str, key: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        self.send("GET", path, &[("authorization", &bearer)], "")
            .await
    }

    /// Sends any request. Fails the test when there is no answer.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let sent = self.try_send(method, path, headers, body).await;
        sent.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    /// Sends any request.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        let answer = self
            .http
            .request(method, format!("http://{}{path}", self.address))
            .headers(map)
            .body(body.into())
            .send()
            .await?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in answer.headers() {
            let known = headers.entry(name.to_string()).or_default();
            if !known.is_empty() {
                known.push('\n');
            }
            known.push_str(&text(value));
        }
        Ok(Answer {
            status: answer.status().as_u16(),
            headers,
            // Unlike `text`, this keeps a byte order mark.
            body: String::from_utf8_lossy(&answer.bytes().await?).into_owned(),
        })
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.body))
    }

    /// The same, if it has this status; otherwise the test fails.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the check is worth making by itself"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The id of the notification that was made; fails the test when none was.
    pub fn notification(&self) -> String {
        let id = self.json()["notification_id"].as_str().map(str::to_owned);
        let id = id.unwrap_or_else(|| panic!("{} {}", self.status, self.body));
        assert!(
            id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()),
            "{id} is no notification id"
        );
        id
    }

    /// The word for programs in a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}
