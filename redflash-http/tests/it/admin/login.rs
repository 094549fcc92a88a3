//! Login and logout.

use redflash_core::model::{KeyHash, Role, Slug};
use redflash_core::store::{Directory, EntryRef, Sessions};
use redflash_http::{HttpConfig, HttpSettings};

use super::browser::Browser;
use super::world::World;
use crate::login::{HOSTILE, hidden, says};

const PASSWORD: &str = "correct horse battery";

async fn world() -> World {
    let mut settings = HttpSettings::default();
    settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let world = World::start_with(HttpConfig {
        settings: settings.into(),
        ..HttpConfig::default()
    })
    .await;
    world.user("ann", Role::Admin, PASSWORD).await;
    world
}

fn browser(world: &World, from: &str) -> Browser {
    Browser::new(&world.client, from)
}

#[tokio::test]
async fn logs_in_to_requested_page_and_out() {
    let world = world().await;
    let mut ann = browser(&world, "198.51.100.7");
    let sent_away = ann.get("/admin/contacts?q=x").await.expect(303);
    let auth = &sent_away.headers["location"];
    assert_eq!(auth, "/admin/login?next=%2Fadmin%2Fcontacts%3Fq%3Dx");
    let page = ann.get(auth).await.expect(200);
    says(
        &page.body,
        &["value=\"/admin/contacts?q&#x3D;x\"", "name=\"user\""],
    );
    let fields = [
        ("user", " ann "),
        ("password", PASSWORD),
        ("next", "/admin/contacts?q=x"),
    ];
    let logged_in = ann.fill(auth, "/admin/login", &fields).await.expect(303);
    assert_eq!(logged_in.headers["location"], "/admin/contacts?q=x");
    let cookie = &logged_in.headers["set-cookie"];
    for guarded in ["__Host-rf=", "HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(guarded), "{cookie}");
    }
    assert_eq!(ann.cookies.keys().collect::<Vec<_>>(), ["__Host-rf"]);
    ann.get("/admin/contacts").await.expect(200);
    let again = ann
        .get("/admin/login?next=//evil.example")
        .await
        .expect(303);
    assert_eq!(again.headers["location"], "/admin");
    let entries = world.audit_log().await;
    assert_eq!(entries[0], "user/ann logged_in user/ann from 198.51.100.7");

    let cookies = ann.cookies.clone();
    ann.post("/admin/logout", &[]).await.expect(403);
    ann.get("/admin/contacts").await.expect(200);
    let out = ann
        .fill("/admin/contacts", "/admin/logout", &[])
        .await
        .expect(303);
    assert_eq!(out.headers["location"], "/admin/login");
    assert!(ann.cookies.is_empty());
    ann.cookies = cookies;
    ann.get("/admin/contacts").await.expect(303);
}

#[tokio::test]
async fn rejects_unknown_user_and_wrong_password_alike() {
    let world = world().await;
    let mut off = world
        .store
        .user(&"ann".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    off.slug = "off".parse::<Slug>().unwrap();
    off.enabled = false;
    world.save(off).await;
    let mut pages = Vec::new();
    for (user, password) in [
        ("ann", "wrong horse battery"),
        ("ann", ""),
        ("nobody", PASSWORD),
        // Has no password.
        ("boss", PASSWORD),
        // Is switched off.
        ("off", PASSWORD),
        (HOSTILE, PASSWORD),
    ] {
        let mut browser = browser(&world, "198.51.100.7");
        let refused = browser.log_in(user, password).await.expect(401);
        says(&refused.body, &["Incorrect user name or password."]);
        assert!(!refused.body.contains(PASSWORD) && !refused.body.contains("wrong horse"));
        assert!(!browser.cookies.contains_key("__Host-rf"));
        if user.len() < 10 {
            let kept = format!("value=\"{user}\"");
            says(&refused.body, &[&kept]);
            let page = refused.body.replace(&kept, "");
            let token = hidden(&page, "csrf");
            pages.push(page.replace(&token, ""));
        }
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
}

#[tokio::test]
async fn login_form_needs_own_page_and_cookie() {
    let world = world().await;
    let mut ann = browser(&world, "198.51.100.7");
    let fields = [("user", "ann"), ("password", PASSWORD)];
    let bare = ann.post("/admin/login", &fields).await.expect(403);
    says(&bare.body, &["cookie", "HTTPS", "localhost"]);
    ann.get("/admin/login").await.expect(200);
    ann.post("/admin/login", &fields).await.expect(403);
    let forged = [&fields[..], &[("csrf", "forged")]].concat();
    ann.post("/admin/login", &forged).await.expect(403);
    let mut other = browser(&world, "198.51.100.8");
    let page = other.get("/admin/login").await.expect(200);
    let token = hidden(&page.body, "csrf");
    let foreign = [&fields[..], &[("csrf", &*token)]].concat();
    ann.post("/admin/login", &foreign).await.expect(403);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://evil.example"),
        (
            "cookie",
            &*format!("__Host-rf-login={}", other.cookies["__Host-rf-login"]),
        ),
    ];
    let form = format!("user=ann&password={PASSWORD}&csrf={token}");
    let sent = world
        .client
        .send("POST", "/admin/login", &headers, form.clone())
        .await;
    says(&sent.expect(403).body, &["another site"]);
    let sent = world
        .client
        .send("POST", "/admin/login", &headers[2..], form)
        .await;
    sent.expect(303);
}

#[tokio::test]
async fn login_ends_earlier_session() {
    let world = world().await;
    let mut ann = browser(&world, "198.51.100.7");
    let page = ann.get("/admin/login").await.expect(200);
    let token = hidden(&page.body, "csrf");
    let before = ann.cookies.clone();
    ann.log_in("ann", PASSWORD).await.expect(303);
    let first = ann.cookies["__Host-rf"].clone();
    // A second page that was open when the first was sent.
    ann.cookies.extend(before);
    let fields = [("user", "ann"), ("password", PASSWORD), ("csrf", &*token)];
    ann.post("/admin/login", &fields).await.expect(303);
    assert_ne!(ann.cookies["__Host-rf"], first);
    let hash = KeyHash::of(&first);
    assert_eq!(world.store.session(&hash).await.unwrap(), None);
}

#[tokio::test]
async fn throttles_failed_logins_per_address() {
    let world = world().await;
    let mut guesser = browser(&world, "198.51.100.7");
    for _ in 0..10 {
        guesser
            .log_in("ann", "wrong horse battery")
            .await
            .expect(401);
    }
    let refused = guesser.log_in("ann", PASSWORD).await.expect(429);
    let after: u64 = refused.headers["retry-after"].parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    says(&refused.body, &["Try again in", "value=\"ann\""]);
    assert!(!guesser.cookies.contains_key("__Host-rf"));
    let mut ann = browser(&world, "198.51.100.8");
    ann.log_in("ann", PASSWORD).await.expect(303);
}

#[tokio::test]
async fn explains_how_to_create_first_user() {
    let world = World::start().await;
    let mut browser = browser(&world, "");
    let page = browser.get("/admin/login").await.expect(200);
    assert!(!page.body.contains("redflash user add"));
    for slug in ["boss", "guest"] {
        let user = EntryRef::User(slug.parse().unwrap());
        world.store.remove(&user).await.unwrap();
    }
    let page = browser.get("/admin/login").await.expect(200);
    says(&page.body, &["redflash user add NAME --role admin"]);
    browser.log_in("ann", PASSWORD).await.expect(401);
    assert!(world.audit_log().await.is_empty());
}
