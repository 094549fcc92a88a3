//! A running server, mock services behind its gateways, and a browser.

use std::time::{Duration, Instant};

use redflash_core::model::Role;
use redflash_tests::{
    Answer, Browser, Client, Config, PATIENCE, Server, Site, Vonage, WebhookSink, until,
};
use serde_json::Value;
use tokio::time::sleep;
use url::form_urlencoded;

/// The password of every user.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The secret in the path of the SMS gateway's callbacks.
pub(crate) const CALLBACK_SECRET: &str = "canary-callback-4f1d0c7e9b";

/// A running installation with a webhook and an SMS gateway, mock services behind them, and a browser
/// that is not logged in.
///
/// The users are `boss`, an admin, and `guest`, a viewer.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) webhook: WebhookSink,
    pub(crate) vonage: Vonage,
    pub(crate) browser: Browser,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with_users(&[("boss", Role::Admin), ("guest", Role::Viewer)]).await
    }

    /// Starts with these users, all with [`PASSWORD`].
    pub(crate) async fn with_users(users: &[(&str, Role)]) -> Self {
        let webhook = WebhookSink::start().await;
        let vonage = Vonage::start().await;
        let hooks = "name = \"hooks\"\ntype = \"webhook\"\nallow_networks = [\"127.0.0.0/8\"]";
        let texts = vonage.gateway("vonage-uk");
        let config = Config::new()
            .gateway(hooks)
            .gateway(&format!("{texts}\ncallback_secret = \"{CALLBACK_SECRET}\""));
        let site = Site::new(&config);
        add_users(&site, users).await;
        let server = site.serve().await;
        Self {
            client: server.client(),
            site,
            server,
            webhook,
            vonage,
            browser: Browser::start().await,
        }
    }

    /// Starts and logs a user in.
    pub(crate) async fn as_user(user: &str) -> Self {
        let world = Self::start().await;
        world.log_in(user, PASSWORD).await;
        world.arrive("/admin").await;
        world
    }

    /// Opens the login page and submits its form.
    pub(crate) async fn log_in(&self, user: &str, password: &str) {
        self.visit("/admin/login").await;
        self.enter(user, password).await;
    }

    /// Submits the login form of the current page.
    pub(crate) async fn enter(&self, user: &str, password: &str) {
        self.browser.fill("[name=user]", user).await;
        self.browser.fill("[name=password]", password).await;
        self.browser.submit(".login form").await;
    }

    /// Submits the form of a new contact, Ada Lovelace with a webhook endpoint.
    pub(crate) async fn fill_in_ada(&self) {
        self.browser.fill("[name=name]", "Ada Lovelace").await;
        self.browser.fill("[name=slug]", "ada").await;
        self.browser.choose("[name=channel]", "webhook").await;
        let url = self.webhook.url("/ada");
        self.browser.fill("[name=address]", &url).await;
        self.browser.submit("main form.form").await;
        self.arrive("/admin/contacts/ada").await;
    }

    /// Goes to a page.
    pub(crate) async fn visit(&self, path: &str) {
        self.browser.goto(&self.server.url(path)).await;
    }

    /// Returns the path and query of the current page.
    pub(crate) async fn path(&self) -> String {
        let url = self.browser.url().await;
        let path = url.strip_prefix(&self.server.url(""));
        path.unwrap_or(&url).to_owned()
    }

    /// Waits until the browser shows a page, with any query.
    pub(crate) async fn arrive(&self, path: &str) {
        until(&format!("the browser is at {path}"), async || {
            let at = self.path().await;
            let (at, _) = at.split_once('?').unwrap_or((&at, ""));
            (at == path && self.browser.exists("main").await).then_some(())
        })
        .await;
    }

    /// Waits until an element contains a text.
    pub(crate) async fn says(&self, css: &str, text: &str) {
        let script = format!("return document.querySelector({css:?})?.innerText");
        let begun = Instant::now();
        loop {
            let shown = self.browser.execute(&script).await;
            if shown.as_str().is_some_and(|shown| shown.contains(text)) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{css} at {} shows {shown} instead of {text:?}",
                self.path().await
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the page contains a text.
    pub(crate) async fn page_says(&self, text: &str) {
        self.says("main", text).await;
    }

    /// Returns the CSRF token of the page.
    pub(crate) async fn token(&self) -> String {
        let token = "return document.querySelector('[name=csrf]').value";
        let token = self.browser.execute(token).await;
        token.as_str().unwrap().to_owned()
    }

    /// Sends a GET request in the session of the browser.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let cookie = self.cookie().await;
        self.client
            .send("GET", path, &[("cookie", &cookie)], "")
            .await
    }

    /// Sends a form in the session of the browser.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let cookie = self.cookie().await;
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let headers = [
            ("cookie", &*cookie),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.client.send("POST", path, &headers, form).await
    }

    /// Returns the `Cookie` header of the session.
    pub(crate) async fn cookie(&self) -> String {
        let cookies = self.browser.cookies().await;
        let session = cookies.iter().find(|cookie| cookie.name() == "__Host-rf");
        session.expect("a user is logged in").stripped().to_string()
    }

    /// Adds a contact with an endpoint at the webhook sink.
    pub(crate) async fn hooked(&self, slug: &str) {
        let url = self.webhook.url(&format!("/{slug}"));
        let add = ["contact", "add", slug, "--name", slug, "--webhook", &url];
        self.site.run(add).await;
    }

    /// Raises an alert, which must be accepted, and returns the notification's id.
    pub(crate) async fn raise(&self, target: &str, key: &str, message: &str) -> String {
        let fields = [("message", message)];
        let answer = self.client.raise(target, key, &fields).await;
        answer.expect(201).notification()
    }

    /// Returns a notification from the API.
    pub(crate) async fn notification(&self, id: &str, key: &str) -> Value {
        let path = format!("/api/v1/notifications/{id}");
        self.client.get_as(&path, key).await.expect(200).json()
    }
}

/// Adds users before the server starts.
async fn add_users(site: &Site, users: &[(&str, Role)]) {
    for (slug, role) in users {
        let add = format!("redflash user add {slug} --role {role}");
        site.shell(&add).input(PASSWORD).run().await.succeeded();
    }
}
