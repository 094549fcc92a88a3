//! A server's API, spoken with an API key.

use std::fmt;
use std::time::Duration;

use redflash_core::store::EntryRef;
use redflash_core::{Slug, error_chain};
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

/// A server, as the command line names it.
#[derive(Debug)]
pub(crate) struct RemoteServer {
    pub(crate) url: String,
    pub(crate) key: SecretString,
    /// Whether the key may go over the network unencrypted.
    pub(crate) plain_http: bool,
}

/// A server's API.
pub(super) struct ApiClient {
    http: reqwest::Client,
    base: Url,
    key: SecretString,
}

/// One page of a list; the entries stand under the name of the list.
#[derive(Debug, Deserialize)]
struct Page {
    next: Option<String>,
    #[serde(flatten)]
    lists: Map<String, Value>,
}

/// Something as it was saved, with what may not be meant so.
#[derive(Debug, Deserialize)]
pub(super) struct Saved<T> {
    #[serde(flatten)]
    pub(super) item: T,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
}

/// How long a request may take, beyond what the server is asked to wait.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);
/// How often a change is tried anew when others keep changing the same thing.
const TRIES: usize = 5;
/// The most that the server lists at once.
const PAGE: usize = 500;

impl ApiClient {
    /// Speaks to a server.
    ///
    /// # Errors
    ///
    /// For what is no address of a server, for one to which the key would go unencrypted, and where
    /// this machine has no HTTP client.
    pub(super) fn new(server: RemoteServer) -> Result<Self, CliError> {
        let base = base(&server)?;
        let http = http_client().map_err(|error| CliError::new(Exit::Failed, error))?;
        let key = server.key;
        Ok(Self { http, base, key })
    }

    /// A request to a path below `/api/v1`, of which each part is encoded.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        let request = self.http.request(method, url).timeout(DEADLINE);
        request.bearer_auth(self.key.expose_secret())
    }

    /// Where users log in.
    pub(super) fn admin_url(&self) -> String {
        format!("{}/admin", self.base.as_str().trim_end_matches('/'))
    }

    /// What the server answers, whatever it is.
    async fn response(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let (http, request) = request.build_split();
        let request = request.map_err(|error| self.no_response(error, false))?;
        let changes = request.method() != Method::GET;
        let response = http.execute(request).await;
        response.map_err(|error| self.no_response(error, changes))
    }

    /// What the server answers, if that is a success.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = self.response(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(error_from(response).await)
    }

    /// The same, read.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, CliError> {
        read(self.send(request).await?).await
    }

    /// The same, if it is there.
    pub(super) async fn read_if_found<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Option<T>, CliError> {
        let response = self.response(request).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => read(response).await.map(Some),
            _ => Err(error_from(response).await),
        }
    }

    /// Everything in a list that fits.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        list: &str,
        query: &[(&str, String)],
    ) -> Result<Vec<T>, CliError> {
        self.some(list, list, query, usize::MAX).await
    }

    /// The first so many in a list that fit, page after page.
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

    /// Something of the directory, and the revision in which it was get_with_revision.
    pub(super) async fn get_with_revision<T: Resource>(
        &self,
        kind: &str,
        slug: &Slug,
    ) -> Result<(T, String), CliError> {
        let request = self.request(Method::GET, &[&format!("{kind}s"), slug.as_str()]);
        let response = self.response(request).await?;
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

    /// Makes something, and returns the server's warnings.
    pub(super) async fn create(&self, kind: &str, body: &Value) -> Result<Vec<String>, CliError> {
        let request = self.request(Method::POST, &[&format!("{kind}s")]);
        let made: Saved<Map<String, Value>> = self.read(request.json(body)).await?;
        Ok(made.warnings)
    }

    /// Changes some fields of something, whatever else has been changed meanwhile.
    pub(super) async fn edit(&self, kind: &str, slug: &Slug, body: &Value) -> Result<(), CliError> {
        let request = self.request(Method::PATCH, &[&format!("{kind}s"), slug.as_str()]);
        let response = self.response(request.json(body)).await?;
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
        for _ in 0..TRIES {
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
            let response = self.response(request).await?;
            match response.status() {
                StatusCode::PRECONDITION_FAILED => {}
                status if status.is_success() => return read(response).await,
                _ => return Err(error_from(response).await),
            }
        }
        let named = T::named(slug.clone());
        let message = format!("{named} is being changed by others all the time: try again");
        Err(CliError::new(Exit::TryAgain, message))
    }

    pub(super) async fn remove(&self, named: &EntryRef) -> Result<(), CliError> {
        let named = named.to_string();
        let (kind, slug) = named.split_once('/').unwrap_or((&named, ""));
        let response = self.response(self.request(Method::DELETE, &[&format!("{kind}s"), slug]));
        let response = response.await?;
        match response.status() {
            StatusCode::NOT_FOUND => Err(CliError::missing(kind, slug)),
            status if status.is_success() => Ok(()),
            _ => Err(error_from(response).await),
        }
    }

    /// No response came.
    ///
    /// * `changes` - whether something was to be done.
    fn no_response(&self, error: reqwest::Error, changes: bool) -> CliError {
        let host = self.base.host_str().unwrap_or("the server");
        let may_be_done = changes && !error.is_connect();
        let error = error_chain(&error.without_url());
        let message = if may_be_done {
            format!("{host} did not response ({error}), and may have done it: look, and try again")
        } else {
            format!("{host} cannot be reached now ({error}): try again")
        };
        CliError::new(Exit::TryAgain, message)
    }
}

/// Without the key.
impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

/// The URL of a server.
fn base(server: &RemoteServer) -> Result<Url, CliError> {
    let wrong = |why: &str| {
        let message = format!("--server: {why}: write it like https://alerts.example.org");
        CliError::usage(message)
    };
    let mut base = Url::parse(&server.url).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(wrong("it is no http URL"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(wrong("neither a name nor a password stands in it"));
    }
    if base.scheme() == "http" && !is_loopback(&base) && !server.plain_http {
        return Err(CliError::usage(
            "--server: the API key would go over the network unencrypted: write https://, or add \
             --plain-http where the network itself is trusted",
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
    fn a_key_goes_over_a_network_encrypted_alone() {
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
    fn what_is_no_address_of_a_server_is_refused() {
        for url in ["alerts.example.org", "ftp://x", "https://ann:secret@x/", ""] {
            let error_from = parsed(url, true).unwrap_err();
            assert!(
                error_from.contains("https://alerts.example.org"),
                "{error_from}"
            );
            assert!(!error_from.contains("secret"), "{error_from}");
        }
    }

    #[test]
    fn a_server_may_stand_below_a_path() {
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
