//! A server below a path, behind a real nginx that passes the path on or strips it.

use std::collections::BTreeSet;

use redflash_core::clock::Timestamp;
use redflash_core::model::{Role, User};
use redflash_core::store::{Directory, Save};
use redflash_http::{HttpConfig, hash_password};
use redflash_tests::{Answer, Client, Nginx, Port};
use serde_json::json;
use url::form_urlencoded;

use crate::access::world::World;
use crate::login::hidden;

const BASE: &str = "/redflash";
const PASSWORD: &str = "correct horse battery";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A server behind a proxy, and an admin logged in through it.
struct Site {
    world: World,
    client: Client,
    cookie: String,
    csrf: String,
    _proxy: Nginx,
}

impl Site {
    async fn start(passes_on: bool) -> Self {
        let port = Port::reserve();
        let world = World::with(HttpConfig {
            public_url: Some(format!("http://{}{BASE}", port.address())),
            ..HttpConfig::default()
        })
        .await;
        let now = Timestamp::from_millis(1);
        let (slug, name) = ("boss".parse().unwrap(), "Boss".parse().unwrap());
        let mut boss = User::new(slug, name, Role::Admin, now);
        boss.password = Some(hash_password(&PASSWORD.into()).await.unwrap());
        let entries = [boss.into()];
        world.store.save(&entries, Save::Create).await.unwrap();
        let proxy = Nginx::start(port, BASE, world.address, passes_on).await;
        let mut site = Self {
            client: Client::new(proxy.address()),
            world,
            cookie: String::new(),
            csrf: String::new(),
            _proxy: proxy,
        };
        site.log_in().await;
        site
    }

    async fn log_in(&mut self) {
        let page = self.get("/redflash/admin/login").await.expect(200);
        check_links(&page.body);
        let cookie = cookie(&page, "__Host-rf-login.redflash");
        let fields = [
            ("user", "boss"),
            ("password", PASSWORD),
            ("csrf", &hidden(&page.body, "csrf")),
            ("next", "/admin/contacts"),
        ];
        let headers = [
            FORM,
            ("cookie", &*cookie),
            ("sec-fetch-site", "same-origin"),
        ];
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let path = "/redflash/admin/login";
        let answer = self.client.send("POST", path, &headers, form).await;
        let welcome = answer.expect(303);
        assert_eq!(welcome.headers["location"], "/redflash/admin/contacts");
        self.cookie = self::cookie(&welcome, "__Host-rf.redflash");
        let list = self.get("/redflash/admin/contacts").await.expect(200);
        self.csrf = hidden(&list.body, "csrf");
    }

    async fn get(&self, url: &str) -> Answer {
        let headers = [("cookie", &*self.cookie)];
        self.client.send("GET", url, &headers, "").await
    }

    async fn post(&self, url: &str, csrf: &str, referer: &str) -> Answer {
        let headers = [
            FORM,
            ("cookie", &*self.cookie),
            ("sec-fetch-site", "same-origin"),
            ("referer", referer),
        ];
        let form = format!("csrf={csrf}");
        self.client.send("POST", url, &headers, form).await
    }
}

/// Returns the cookie with a name that a response sets, as a browser sends it back.
fn cookie(answer: &Answer, name: &str) -> String {
    let start = format!("{name}=");
    let mut lines = answer.headers["set-cookie"].lines();
    let line = lines.find(|line| line.starts_with(&start)).unwrap();
    for attribute in ["; Path=/;", "; Secure"] {
        assert!(format!("{line};").contains(attribute), "{line}");
    }
    line.split(';').next().unwrap().to_owned()
}

/// The use of a URL in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Get,
    Post,
    Stream,
}

/// Returns all URLs in a page, each of which must begin with the path.
fn check_links(html: &str) -> Vec<(String, Use)> {
    let mut links = Vec::new();
    for (attribute, by) in [
        (" href=\"", Use::Get),
        (" src=\"", Use::Get),
        (" action=\"", Use::Get),
        (" formaction=\"", Use::Post),
        (" data-preview-url=\"", Use::Post),
        (" data-events-url=\"", Use::Stream),
    ] {
        for (begin, _) in html.match_indices(attribute) {
            let value = &html[begin + attribute.len()..];
            let value = value.split('"').next().unwrap();
            let url = value.replace("&amp;", "&").replace("&#x3D;", "=");
            if url.starts_with('#') {
                continue;
            }
            assert!(url.starts_with("/redflash/"), "{attribute}{url}");
            let tag = &html[html[..begin].rfind('<').unwrap()..];
            let is_post = tag.split('>').next().unwrap().contains("method=\"post\"");
            links.push((url, if is_post { Use::Post } else { by }));
        }
    }
    links
}

/// Follows all links of the pages, and returns the paths.
async fn walk(site: &Site) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut next = vec![("/redflash/admin".to_owned(), Use::Get)];
    while let Some((url, by)) = next.pop() {
        let whole = url.split('#').next().unwrap().to_owned();
        let (path, query) = whole.split_once('?').unwrap_or((&whole, ""));
        let key = (path.to_owned(), query.is_empty(), by);
        if !seen.insert(key) {
            continue;
        }
        let answer = match by {
            Use::Post => site.post(&whole, "forged", "").await.expect(403),
            Use::Get | Use::Stream => site.get(&whole).await,
        };
        assert_ne!(answer.status, 404, "{url}");
        assert!(answer.status < 500, "{url}: {}", answer.status);
        if let Some(place) = answer.headers.get("location") {
            assert!(place.starts_with("/redflash/"), "{url} leads to {place}");
        }
        if answer.body.contains("</html>") {
            next.extend(check_links(&answer.body));
        }
    }
    seen.into_iter().map(|(path, ..)| path).collect()
}

async fn is_whole(passes_on: bool) {
    let site = Site::start(passes_on).await;
    let paths = walk(&site).await;
    let notification = format!("log/{}", site.world.notification);
    for page in [
        "contacts",
        "contacts/some",
        "contacts/some/switch",
        "groups/some",
        "events/some",
        "keys/some",
        "users/some",
        "gateways/some",
        "log",
        &notification,
        "send",
        "send/plan",
        "audit",
        "inbound",
        "profile",
        "search",
        "new/contact",
        "new/event",
        "new/group",
        "new/key",
        "new/user",
        "log.csv",
        "preview/event",
        "logout",
        "assets/style.css",
        "assets/script.js",
    ] {
        let path = format!("/redflash/admin/{page}");
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
    let missing = site.get("/redflash/admin/nowhere").await.expect(404);
    assert!(!check_links(&missing.body).is_empty());

    let events = format!("/redflash/admin/{notification}/events");
    let stream = site.get(&events).await.expect(200);
    assert!(stream.body.contains("event: end"), "{}", stream.body);
    check_links(&stream.body);

    let list = "http://127.0.0.1/redflash/admin/contacts?q=some";
    let switch = "/redflash/admin/contacts/some/switch";
    let fields = format!("{}&enabled=false", site.csrf);
    let switched = site.post(switch, &fields, list).await.expect(303);
    let place = &switched.headers["location"];
    assert!(
        place.starts_with("/redflash/admin/contacts?q=some&undo=contacts/some&notice="),
        "{place}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_links_work_if_proxy_strips_path() {
    is_whole(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_links_work_if_proxy_passes_path_on() {
    is_whole(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_other_urls_below_path_and_at_root() {
    for passes_on in [false, true] {
        let site = Site::start(passes_on).await;
        let bearer = site.world.key("inspecting", |key| key.inspect = true).await;
        let key = ("authorization", &*bearer);
        let json = ("content-type", "application/json");
        for (client, base) in [
            (&site.client, BASE),
            (&site.world.client, ""),
            (&site.world.client, BASE),
        ] {
            let at = |path: &str| format!("{base}{path}");
            for path in ["/healthz", "/readyz"] {
                client.get(&at(path)).await.expect(200);
            }
            client.get(&at("/metrics")).await.expect(401);
            let body = json!({ "message": "hi" }).to_string();
            for path in ["/contact/some", "/group/some/"] {
                let sent = client.send("POST", &at(path), &[key, json], &*body).await;
                sent.expect(201);
            }
            client.get(&at("/ack")).await.expect(200);
            let path = at("/api/v1/contacts/some/messages");
            let raised = client.send("POST", &path, &[key, json], &*body).await;
            let place = raised.expect(201).headers["location"].clone();
            assert!(
                place.starts_with("/redflash/api/v1/notifications/"),
                "{place}"
            );
            let shown = site.client.send("GET", &place, &[key], "").await;
            shown.expect(200);
            let described = client.get(&at("/api/v1/openapi.json")).await.expect(200);
            assert_eq!(described.json()["servers"], json!([{ "url": BASE }]));
            let login = client.get(&at("/admin/log")).await.expect(303);
            let place = &login.headers["location"];
            assert_eq!(place, "/redflash/admin/login?next=%2Fadmin%2Flog");
        }
        for path in ["/redflashy/healthz", "/redflash/redflash/healthz"] {
            site.world.client.get(path).await.expect(404);
        }
    }
}
