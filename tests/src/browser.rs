//! A browser of the test's own.

use std::path::Path;
use std::{fmt, fs, thread};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fantoccini::cookies::Cookie;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::chromedriver::{self, Chromedriver, devtools};
use crate::until;

/// Debian's Chromium, headless, with a profile of its own, killed when dropped. When its test fails,
/// the page it was at is printed.
///
/// It ends with the thread that started it at the latest, so each test starts one of its own. It
/// reaches loopback only. A click or a submit that leads to another page may be answered
/// before that is there: wait for what is on it, or [arrive](Self::arrive) at its address.
///
/// Elements are named by CSS selectors; what is not there fails the test.
pub struct Browser {
    client: Client,
    driver: Chromedriver,
}

impl Browser {
    /// The width up to which the window is a phone's.
    pub const PHONE: u32 = 600;

    /// Starts one with a window of 1280 by 800, in light colours.
    pub async fn start() -> Self {
        let driver = Chromedriver::start().await;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(driver.capabilities())
            .connect(&driver.url())
            .await;
        let client = client.unwrap_or_else(|error| {
            panic!("no Chromium: {error}\n{}", driver.log.text());
        });
        let browser = Self { client, driver };
        browser.set_size(1280, 800).await;
        browser.dark(false).await;
        browser
    }

    /// Goes to a page, and waits until it is loaded.
    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Returns the current address.
    pub async fn url(&self) -> String {
        self.client.current_url().await.unwrap().into()
    }

    /// Waits until it is at an address that begins with this, and returns the whole address. A click
    /// may return before the browser has set out.
    pub async fn arrive(&self, beginning: &str) -> String {
        until(beginning, async || {
            let url = self.url().await;
            url.starts_with(beginning).then_some(url)
        })
        .await
    }

    /// Returns the current page as HTML.
    pub async fn source(&self) -> String {
        self.client.source().await.unwrap()
    }

    /// Whether there is such an element.
    pub async fn exists(&self, css: &str) -> bool {
        !self
            .client
            .find_all(Locator::Css(css))
            .await
            .unwrap()
            .is_empty()
    }

    /// Waits until there is such an element.
    pub async fn wait_for(&self, css: &str) {
        until(css, async || self.exists(css).await.then_some(())).await;
    }

    /// The text of an element as a person sees it.
    pub async fn text(&self, css: &str) -> String {
        let element = self.find(css).await;
        element.text().await.unwrap()
    }

    /// Types this into a field, in place of what is in it.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        self.done(css, field.clear().await).await;
        self.done(css, field.send_keys(text).await).await;
    }

    /// Chooses the option of a `select` that has this value.
    pub async fn choose(&self, css: &str, value: &str) {
        let list = self.find(css).await;
        self.done(css, list.select_by_value(value).await).await;
    }

    /// Clicks on an element, which has to be visible and not covered by another.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        self.done(css, element.click().await).await;
    }

    /// Clicks on the first button of a form that submits it.
    pub async fn submit(&self, form: &str) {
        let button = format!("{form} :is(button:not([type]), [type=submit])");
        self.click(&button).await;
    }

    /// Runs a script and returns what it returns. The page's policy does not forbid it.
    pub async fn execute(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Runs a script that calls the function it is given as its last argument when it is done, and
    /// returns what it calls that with.
    pub(crate) async fn execute_async(&self, script: &str) -> Value {
        self.client.execute_async(script, Vec::new()).await.unwrap()
    }

    /// Everything that pages have logged since this was asked last, such as what a policy has
    /// forbidden, a script's exception or an answer that is an error: a line each, its level first.
    pub async fn console(&self) -> Vec<String> {
        let entries = chromedriver::log(&self.client).await;
        let entries = entries.as_array().unwrap();
        entries
            .iter()
            .map(|entry| format!("{} {}", text(&entry["level"]), text(&entry["message"])))
            .collect()
    }

    /// The cookies of the page it is at.
    pub async fn cookies(&self) -> Vec<Cookie<'static>> {
        self.client.get_all_cookies().await.unwrap()
    }

    /// Sets the page's size in pixels. Up to [`PHONE`](Self::PHONE), it is a phone's: it
    /// is touched, and its scroll bars take no room.
    pub async fn set_size(&self, width: u32, height: u32) {
        let phone = width <= Self::PHONE;
        let size = json!({
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        let touch = json!({ "enabled": phone });
        self.devtools("Emulation.setTouchEmulationEnabled", touch)
            .await;
    }

    /// Whether its user prefers dark colours.
    pub async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Whether pages run scripts, from the next page on. [`execute`](Self::execute) always does, and
    /// [`axe`](Self::axe) only when this is on.
    pub async fn javascript(&self, on: bool) {
        let off = json!({ "value": !on });
        self.devtools("Emulation.setScriptExecutionDisabled", off)
            .await;
    }

    /// Writes a picture of the whole page, as PNG.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        let whole = json!({ "captureBeyondViewport": true });
        let picture = self.devtools("Page.captureScreenshot", whole).await;
        let picture = BASE64_STANDARD.decode(text(&picture["data"])).unwrap();
        fs::write(path, picture).unwrap();
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Value {
        devtools(&self.client, method, parameters).await
    }

    async fn find(&self, css: &str) -> Element {
        let found = self.client.find(Locator::Css(css)).await;
        self.done(css, found).await
    }

    /// The result of what was done with an element; where it failed, the test does, with the page.
    async fn done<T>(&self, css: &str, result: Result<T, CmdError>) -> T {
        match result {
            Ok(done) => done,
            Err(error) => panic!(
                "`{css}` at {}: {error}\n{}",
                self.url().await,
                self.source().await
            ),
        }
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("driver", &self.driver)
            .finish_non_exhaustive()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("chromedriver's log:\n{}", self.driver.log.text());
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
