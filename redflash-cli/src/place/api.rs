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

use super::refusal::{refused, strange};
use super::{Document, Noun};
use crate::failure::{Exit, Failure};
use crate::http_client::http_client;

/// A server, as the command line names it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) key: SecretString,
    /// Whether the key may go over the network unencrypted.
    pub(crate) plain_http: bool,
}

/// A server's API.
pub(super) struct Api {
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
pub(super) struct Changed<T> {
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

impl Api {
    /// Speaks to a server.
    ///
    /// # Errors
    ///
    /// For what is no address of a server, for one to which the key would go unencrypted, and where
    /// this machine has no HTTP client.
    pub(super) fn new(server: Server) -> Result<Self, Failure> {
        let base = base(&server)?;
        let http = http_client().map_err(|fault| Failure::new(Exit::Failed, fault))?;
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
    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let (http, request) = request.build_split();
        let request = request.map_err(|fault| self.lost(fault, false))?;
        let changes = request.method() != Method::GET;
        let answer = http.execute(request).await;
        answer.map_err(|fault| self.lost(fault, changes))
    }

    /// What the server answers, if that is a success.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = self.answer(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refused(answer).await)
    }

    /// The same, read.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, Failure> {
        read(self.send(request).await?).await
    }

    /// The same, if it is there.
    pub(super) async fn read_if_there<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Option<T>, Failure> {
        let answer = self.answer(request).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => read(answer).await.map(Some),
            _ => Err(refused(answer).await),
        }
    }

    /// Everything in a list that fits.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        list: &str,
        query: &[(&str, String)],
    ) -> Result<Vec<T>, Failure> {
        self.some(list, query, usize::MAX).await
    }

    /// The first so many in a list that fit, page after page.
    pub(super) async fn some<T: DeserializeOwned>(
        &self,
        list: &str,
        query: &[(&str, String)],
        limit: usize,
    ) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        let mut query = query.to_vec();
        loop {
            let wanted = (limit - all.len()).min(PAGE);
            let request = self.request(Method::GET, &[list]).query(&query);
            let mut page: Page = self.read(request.query(&[("limit", wanted)])).await?;
            let entries = page.lists.remove(list).unwrap_or_default();
            let entries: Vec<T> = serde_json::from_value(entries).map_err(|f| strange(&f))?;
            all.extend(entries);
            let Some(next) = page.next.filter(|_| all.len() < limit) else {
                return Ok(all);
            };
            query.retain(|(name, _)| *name != "cursor");
            query.push(("cursor", next));
        }
    }

    /// Something of the directory, and the revision in which it was seen.
    pub(super) async fn seen<T: Noun>(
        &self,
        kind: &str,
        slug: &Slug,
    ) -> Result<(T, String), Failure> {
        let request = self.request(Method::GET, &[&format!("{kind}s"), slug.as_str()]);
        let answer = self.answer(request).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(Failure::missing(kind, slug.as_str()));
        }
        if !answer.status().is_success() {
            return Err(refused(answer).await);
        }
        let revision = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
        let revision = revision.unwrap_or("*").to_owned();
        Ok((read(answer).await?, revision))
    }

    /// Makes something, and returns the server's warnings.
    pub(super) async fn create(&self, kind: &str, body: &Value) -> Result<Vec<String>, Failure> {
        let request = self.request(Method::POST, &[&format!("{kind}s")]);
        let made: Changed<Map<String, Value>> = self.read(request.json(body)).await?;
        Ok(made.warnings)
    }

    /// Changes some fields of something, whatever else has been changed meanwhile.
    pub(super) async fn edit(&self, kind: &str, slug: &Slug, body: &Value) -> Result<(), Failure> {
        let request = self.request(Method::PATCH, &[&format!("{kind}s"), slug.as_str()]);
        let answer = self.answer(request.json(body)).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(Failure::missing(kind, slug.as_str())),
            status if status.is_success() => Ok(()),
            _ => Err(refused(answer).await),
        }
    }

    pub(super) async fn change<T: Document>(
        &self,
        slug: &Slug,
        change: impl Fn(&mut T),
    ) -> Result<Changed<T>, Failure> {
        for _ in 0..TRIES {
            let (old, revision) = self.seen::<T>(T::KIND, slug).await?;
            let mut new = old.clone();
            change(&mut new);
            if new == old {
                return Ok(Changed {
                    item: new,
                    warnings: Vec::new(),
                });
            }
            let request = self.request(Method::PUT, &[&format!("{}s", T::KIND), slug.as_str()]);
            let request = request
                .header(IF_MATCH, revision)
                .json(&new.body(Some(&old)));
            let answer = self.answer(request).await?;
            match answer.status() {
                StatusCode::PRECONDITION_FAILED => {}
                status if status.is_success() => return read(answer).await,
                _ => return Err(refused(answer).await),
            }
        }
        let named = T::named(slug.clone());
        let message = format!("{named} is being changed by others all the time: try again");
        Err(Failure::new(Exit::TryAgain, message))
    }

    pub(super) async fn remove(&self, named: &EntryRef) -> Result<(), Failure> {
        let named = named.to_string();
        let (kind, slug) = named.split_once('/').unwrap_or((&named, ""));
        let answer = self.answer(self.request(Method::DELETE, &[&format!("{kind}s"), slug]));
        let answer = answer.await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(Failure::missing(kind, slug)),
            status if status.is_success() => Ok(()),
            _ => Err(refused(answer).await),
        }
    }

    /// No answer came.
    ///
    /// * `changes` - whether something was to be done.
    fn lost(&self, fault: reqwest::Error, changes: bool) -> Failure {
        let host = self.base.host_str().unwrap_or("the server");
        let may_be_done = changes && !fault.is_connect();
        let fault = error_chain(&fault.without_url());
        let message = if may_be_done {
            format!("{host} did not answer ({fault}), and may have done it: look, and try again")
        } else {
            format!("{host} cannot be reached now ({fault}): try again")
        };
        Failure::new(Exit::TryAgain, message)
    }
}

/// Without the key.
impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

/// The URL of a server.
fn base(server: &Server) -> Result<Url, Failure> {
    let wrong = |why: &str| {
        let message = format!("--server: {why}: write it like https://alerts.example.org");
        Failure::usage(message)
    };
    let mut base = Url::parse(&server.url).map_err(|fault| wrong(&fault.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(wrong("it is no http URL"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(wrong("neither a name nor a password stands in it"));
    }
    if base.scheme() == "http" && !is_loopback(&base) && !server.plain_http {
        return Err(Failure::usage(
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

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    let body = answer.bytes().await;
    let body = body.map_err(|fault| strange(&fault.without_url()))?;
    serde_json::from_slice(&body).map_err(|fault| strange(&fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str, plain_http: bool) -> Result<String, String> {
        let server = Server {
            url: url.to_owned(),
            key: "canary".into(),
            plain_http,
        };
        let base = base(&server).map(|base| base.to_string());
        base.map_err(|failure| failure.message)
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
            let refused = parsed(url, true).unwrap_err();
            assert!(refused.contains("https://alerts.example.org"), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn a_server_may_stand_below_a_path() {
        let server = |url: &str| Server {
            url: url.to_owned(),
            key: "canary".into(),
            plain_http: false,
        };
        for url in ["https://x/alerts", "https://x/alerts/"] {
            let api = Api::new(server(url)).unwrap();
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
