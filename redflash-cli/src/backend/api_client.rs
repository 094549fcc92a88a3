//! Client of a server's API.

use std::fmt;
use std::time::Duration;

use redflash_core::error_chain;
use redflash_core::model::Slug;
use redflash_core::store::EntryRef;
use reqwest::header::{ETAG, IF_MATCH};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::response_error::{error_from, unreadable};
use super::{EditableResource, Resource};
use crate::error::{CliError, Exit};
use crate::http_client::http_client;

/// A server, as named on the command line.
#[derive(Debug)]
pub(crate) struct RemoteServer {
    pub(crate) url: String,
    pub(crate) key: SecretString,
    /// True if the key may be sent unencrypted.
    pub(crate) plain_http: bool,
}

/// A client of a server's API.
pub(super) struct ApiClient {
    http: reqwest::Client,
    base: Url,
    key: SecretString,
}

/// One page of a list. Its entries are in a field named after the list.
#[derive(Debug, Deserialize)]
struct Page {
    next: Option<String>,
    #[serde(flatten)]
    lists: Map<String, Value>,
}

/// A saved resource, with warnings about probable mistakes.
#[derive(Debug, Deserialize)]
pub(super) struct Saved<T> {
    #[serde(flatten)]
    pub(super) item: T,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
}

/// Timeout of a request, in addition to the time that the server is asked to wait.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
/// Maximum attempts of a change that conflicts with concurrent changes.
const MAX_ATTEMPTS: usize = 5;
/// Maximum entries that the server returns in one page.
const PAGE: usize = 500;

impl ApiClient {
    /// Creates a client of a server.
    ///
    /// # Errors
    ///
    /// Rejects an invalid URL and one to which the key would be sent unencrypted. Fails if the HTTP
    /// client cannot be created.
    pub(super) fn new(server: RemoteServer) -> Result<Self, CliError> {
        let base = base(&server)?;
        let http = http_client().map_err(|error| CliError::new(Exit::Failed, error))?;
        let key = server.key;
        Ok(Self { http, base, key })
    }

    /// Creates a request to a path below `/api/v1`. Encodes each segment.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        let request = self.http.request(method, url).timeout(DEADLINE);
        request.bearer_auth(self.key.expose_secret())
    }

    /// Returns the URL of the web admin.
    pub(super) fn admin_url(&self) -> String {
        format!("{}/admin", self.base.as_str().trim_end_matches('/'))
    }

    /// Sends a request and returns any response.
    async fn execute(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let (http, request) = request.build_split();
        let request = request.map_err(|error| self.no_response(error, false))?;
        let changes = request.method() != Method::GET;
        let response = http.execute(request).await;
        response.map_err(|error| self.no_response(error, changes))
    }

    /// Sends a request and returns a successful response.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = self.execute(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(error_from(response).await)
    }

    /// Sends a request and reads a successful response.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, CliError> {
        read(self.send(request).await?).await
    }

    /// Sends a request and reads a successful response; `None` for 404.
    pub(super) async fn read_if_found<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Option<T>, CliError> {
        let response = self.execute(request).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => read(response).await.map(Some),
            _ => Err(error_from(response).await),
        }
    }

    /// Returns all matching entries of a list.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        list: &str,
        query: &[(&str, String)],
    ) -> Result<Vec<T>, CliError> {
        self.some(list, list, query, usize::MAX).await
    }

    /// Returns the first matching entries of a list, reading several pages if needed.
    ///
    /// * `field` - the field of the response that contains the entries.
    pub(super) async fn some<T: DeserializeOwned>(
        &self,
        path: &str,
        field: &str,
        query: &[(&str, String)],
        limit: usize,
    ) -> Result<Vec<T>, CliError> {
        let mut all = Vec::new();
        let mut query = query.to_vec();
        loop {
            let wanted = (limit - all.len()).min(PAGE);
            let request = self.request(Method::GET, &[path]).query(&query);
            let mut page: Page = self.read(request.query(&[("limit", wanted)])).await?;
            let entries = page.lists.remove(field).unwrap_or_default();
            let entries: Vec<T> = serde_json::from_value(entries).map_err(|f| unreadable(&f))?;
            all.extend(entries);
            let Some(next) = page.next.filter(|_| all.len() < limit) else {
                return Ok(all);
            };
            query.retain(|(name, _)| *name != "cursor");
            query.push(("cursor", next));
        }
    }

    /// Returns a resource with its revision.
    pub(super) async fn get_with_revision<T: Resource>(
        &self,
        kind: &str,
        slug: &Slug,
    ) -> Result<(T, String), CliError> {
        let request = self.request(Method::GET, &[&format!("{kind}s"), slug.as_str()]);
        let response = self.execute(request).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(CliError::missing(kind, slug.as_str()));
        }
        if !response.status().is_success() {
            return Err(error_from(response).await);
        }
        let revision = response
            .headers()
            .get(ETAG)
            .and_then(|tag| tag.to_str().ok());
        let revision = revision.unwrap_or("*").to_owned();
        Ok((read(response).await?, revision))
    }

    /// Creates a resource and returns the server's warnings.
    pub(super) async fn create(&self, kind: &str, body: &Value) -> Result<Vec<String>, CliError> {
        let request = self.request(Method::POST, &[&format!("{kind}s")]);
        let made: Saved<Map<String, Value>> = self.read(request.json(body)).await?;
        Ok(made.warnings)
    }

    /// Changes some fields of a resource, whatever its revision.
    pub(super) async fn edit(&self, kind: &str, slug: &Slug, body: &Value) -> Result<(), CliError> {
        let request = self.request(Method::PATCH, &[&format!("{kind}s"), slug.as_str()]);
        let response = self.execute(request.json(body)).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Err(CliError::missing(kind, slug.as_str())),
            status if status.is_success() => Ok(()),
            _ => Err(error_from(response).await),
        }
    }

    pub(super) async fn change<T: EditableResource>(
        &self,
        slug: &Slug,
        change: impl Fn(&mut T),
    ) -> Result<Saved<T>, CliError> {
        for _ in 0..MAX_ATTEMPTS {
            let (old, revision) = self.get_with_revision::<T>(T::KIND, slug).await?;
            let mut new = old.clone();
            change(&mut new);
            if new == old {
                return Ok(Saved {
                    item: new,
                    warnings: Vec::new(),
                });
            }
            let request = self.request(Method::PUT, &[&format!("{}s", T::KIND), slug.as_str()]);
            let request = request
                .header(IF_MATCH, revision)
                .json(&new.body(Some(&old)));
            let response = self.execute(request).await?;
            match response.status() {
                StatusCode::PRECONDITION_FAILED => {}
                status if status.is_success() => return read(response).await,
                _ => return Err(error_from(response).await),
            }
        }
        let named = T::named(slug.clone());
        let message = format!("{named} is being changed concurrently: try again");
        Err(CliError::new(Exit::TryAgain, message))
    }

    pub(super) async fn remove(&self, named: &EntryRef) -> Result<(), CliError> {
        let named = named.to_string();
        let (kind, slug) = named.split_once('/').unwrap_or((&named, ""));
        let response = self.execute(self.request(Method::DELETE, &[&format!("{kind}s"), slug]));
        let response = response.await?;
        match response.status() {
            StatusCode::NOT_FOUND => Err(CliError::missing(kind, slug)),
            status if status.is_success() => Ok(()),
            _ => Err(error_from(response).await),
        }
    }

    /// Returns the error of a request without a response.
    ///
    /// * `changes` - true if the request changes something.
    fn no_response(&self, error: reqwest::Error, changes: bool) -> CliError {
        let host = self.base.host_str().unwrap_or("the server");
        let may_be_applied = changes && !error.is_connect();
        let error = error_chain(&error.without_url());
        let message = if may_be_applied {
            format!(
                "{host} did not respond ({error}) and may have applied the request: check, then try again"
            )
        } else {
            format!("cannot reach {host} ({error}): try again")
        };
        CliError::new(Exit::TryAgain, message)
    }
}

/// Omits the key.
impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

/// Parses and checks the URL of a server.
fn base(server: &RemoteServer) -> Result<Url, CliError> {
    let invalid = |reason: &str| {
        let message =
            format!("--server: {reason}: expected a URL such as https://alerts.example.org");
        CliError::usage(message)
    };
    let mut base = Url::parse(&server.url).map_err(|error| invalid(&error.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(invalid("not an HTTP URL"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(invalid("the URL must not contain credentials"));
    }
    if base.scheme() == "http" && !is_loopback(&base) && !server.plain_http {
        return Err(CliError::usage(
            "--server: the API key would be sent unencrypted: use https://, or --plain-http on a trusted \
             network",
        ));
    }
    base.set_query(None);
    base.set_fragment(None);
    Ok(base)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, CliError> {
    let body = response.bytes().await;
    let body = body.map_err(|error| unreadable(&error.without_url()))?;
    serde_json::from_slice(&body).map_err(|error| unreadable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str, plain_http: bool) -> Result<String, String> {
        let server = RemoteServer {
            url: url.to_owned(),
            key: "canary".into(),
            plain_http,
        };
        let base = base(&server).map(|base| base.to_string());
        base.map_err(|error| error.message)
    }

    #[test]
    fn requires_https_unless_allowed() {
        for url in [
            "https://alerts.example.org/",
            "http://localhost:8025/",
            "http://127.0.0.1:8025/",
            "http://[::1]:8025/",
        ] {
            assert_eq!(parsed(url, false).as_deref(), Ok(url));
        }
        for url in [
            "http://alerts.example.org/",
            "http://192.0.2.1/",
            "http://[::2]/",
        ] {
            assert!(parsed(url, false).unwrap_err().contains("--plain-http"));
            assert_eq!(parsed(url, true).as_deref(), Ok(url));
        }
    }

    #[test]
    fn rejects_invalid_server_url() {
        for url in ["alerts.example.org", "ftp://x", "https://ann:secret@x/", ""] {
            let error = parsed(url, true).unwrap_err();
            assert!(error.contains("https://alerts.example.org"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn accepts_server_below_a_path() {
        let server = |url: &str| RemoteServer {
            url: url.to_owned(),
            key: "canary".into(),
            plain_http: false,
        };
        for url in ["https://x/alerts", "https://x/alerts/"] {
            let api = ApiClient::new(server(url)).unwrap();
            let request = api
                .request(Method::GET, &["contacts", "a/b"])
                .build()
                .unwrap();
            let expected = "https://x/alerts/api/v1/contacts/a%2Fb";
            assert_eq!(request.url().as_str(), expected);
            assert!(!format!("{api:?}").contains("canary"));
        }
    }
}
