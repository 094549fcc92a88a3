//! The browser, on pages with a strict content security policy.

use axum::Router;
use axum::extract::Query;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use redflash_tests::Browser;
use serde_json::json;
use tempfile::TempDir;

use crate::serve;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const GOOD: &str = r#"
<!DOCTYPE html>
<html lang="en">
<head><title>Good</title><meta name="viewport" content="width=device-width"><link rel="icon" href="/icon"></head>
<body>
<main>
<h1 id="title">Plain</h1>
<form action="/hello">
<label>Name <input name="name" value="nobody"></label>
<label>Colour <select name="colour"><option value="r">Red</option><option value="g">Green</option></select></label>
<button>Go</button>
</form>
</main>
<script src="/script.js"></script>
</body>
</html>
"#;

const FAULTY: &str = r#"
<!DOCTYPE html>
<html lang="en">
<head><title>Faulty</title><link rel="icon" href="/icon"></head>
<body>
<main><h1 id="title">Plain</h1><input name="name"></main>
<script>document.getElementById("title").textContent = "Inline";</script>
</body>
</html>
"#;

const SCRIPT: &str = r#"document.getElementById("title").textContent = "Scripted";"#;

/// Serves the pages, and opens a browser at the good one.
async fn start() -> (Browser, String) {
    let page =
        |html: &'static str| get(async move || ([(CONTENT_SECURITY_POLICY, POLICY)], Html(html)));
    let script = async || ([(CONTENT_TYPE, "text/javascript")], SCRIPT);
    let hello = async |Query(fields): Query<Vec<(String, String)>>| {
        let text = format!("<p id=\"fields\">{fields:?}</p>");
        ([(SET_COOKIE, "visited=yes; HttpOnly")], Html(text)).into_response()
    };
    let router = Router::new()
        .route("/good", page(GOOD))
        .route("/faulty", page(FAULTY))
        .route("/icon", get(async || ()))
        .route("/script.js", get(script))
        .route("/hello", get(hello));
    let url = serve(router).await;
    let browser = Browser::start().await;
    browser.goto(&format!("{url}/good")).await;
    (browser, url)
}

#[tokio::test]
async fn fills_in_and_submits_a_form() {
    let (browser, url) = start().await;
    browser.fill("[name=name]", "Ann & Co").await;
    browser.choose("[name=colour]", "g").await;
    browser.submit("form").await;
    browser.wait_for("#fields").await;
    assert_eq!(
        browser.text("#fields").await,
        r#"[("name", "Ann & Co"), ("colour", "g")]"#
    );
    assert_eq!(
        browser.url().await,
        format!("{url}/hello?name=Ann+%26+Co&colour=g")
    );
    let cookies = browser.cookies().await;
    let cookie = cookies.iter().find(|cookie| cookie.name() == "visited");
    assert_eq!(cookie.unwrap().http_only(), Some(true));
    assert!(!browser.exists("form").await);
}

#[tokio::test]
async fn console_shows_policy_violations() {
    let (browser, url) = start().await;
    assert_eq!(browser.text("#title").await, "Scripted");
    assert_eq!(browser.console().await, [""; 0]);
    browser.goto(&format!("{url}/faulty")).await;
    assert_eq!(browser.text("#title").await, "Plain");
    let console = browser.console().await;
    assert!(
        matches!(&*console, [line] if line.contains("Content Security Policy")),
        "{console:#?}"
    );
    assert_eq!(browser.console().await, [""; 0]);
}

#[tokio::test]
async fn axe_reports_a_missing_label_only() {
    let (browser, url) = start().await;
    assert_eq!(format!("{:?}", browser.axe().await), "[]");
    assert_eq!(browser.console().await, [""; 0]);
    browser.goto(&format!("{url}/faulty")).await;
    let found = browser.axe().await;
    let ids: Vec<_> = found.iter().map(|violation| &*violation.id).collect();
    assert_eq!(ids, ["label"], "{found:?}");
    assert!(found[0].nodes[0].contains("name=\"name\""), "{found:?}");
}

#[tokio::test]
async fn emulates_phone_size_and_dark_mode() {
    let (browser, url) = start().await;
    let seen = "return [innerWidth, innerHeight, document.documentElement.clientWidth,
                        matchMedia('(pointer: coarse)').matches,
                        matchMedia('(prefers-color-scheme: dark)').matches]";
    assert_eq!(
        browser.execute(seen).await,
        json!([1280, 800, 1280, false, false])
    );
    browser.set_size(360, 740).await;
    browser.dark(true).await;
    let phone = json!([360, 740, 360, true, true]);
    assert_eq!(browser.execute(seen).await, phone);
    browser.goto(&format!("{url}/good?again")).await;
    assert_eq!(browser.execute(seen).await, phone);
    let directory = TempDir::new().unwrap();
    let picture = directory.path().join("page.png");
    browser.screenshot(&picture).await;
    let picture = std::fs::read(picture).unwrap();
    // The PNG header holds the size.
    assert_eq!(picture[16..24], [0, 0, 1, 104, 0, 0, 2, 228]);
}

#[tokio::test]
async fn works_without_javascript() {
    let (browser, url) = start().await;
    browser.javascript(false).await;
    browser.goto(&format!("{url}/good?again")).await;
    assert_eq!(browser.text("#title").await, "Plain");
    browser.fill("[name=name]", "Ann").await;
    browser.choose("[name=colour]", "g").await;
    browser.submit("form").await;
    browser.wait_for("#fields").await;
    browser.goto(&format!("{url}/good")).await;
    // A page loaded without JavaScript stays as it is.
    browser.javascript(true).await;
    assert_eq!(browser.text("#title").await, "Plain");
    assert_eq!(format!("{:?}", browser.axe().await), "[]");
    browser.goto(&format!("{url}/good?again")).await;
    assert_eq!(browser.text("#title").await, "Scripted");
}

#[tokio::test]
#[should_panic(expected = "`#nowhere` at http://127.0.0.1:")]
async fn missing_element_fails_the_test() {
    let (browser, _) = start().await;
    browser.click("#nowhere").await;
}
