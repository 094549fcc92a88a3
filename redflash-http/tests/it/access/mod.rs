//! The access control of every URL of the server.

pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use redflash_core::model::Role;
use redflash_http::{Auth, Permission, Route, routes};
use redflash_tests::Answer;

use self::world::World;

/// The list of all routes with their access. A new or opened route needs its line there.
const ROUTES: &str = include_str!("routes.txt");
/// All methods except `HEAD`, which goes with `GET`.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

fn line(route: &Route) -> String {
    let method = route.method.as_ref().map_or("ANY", Method::as_str);
    format!("{method} {} {:?}", route.path, route.auth)
}

/// Returns the methods to try a route with.
fn methods(route: &Route) -> Vec<&str> {
    match route.method.as_ref().map(Method::as_str) {
        Some("GET") => vec!["GET", "HEAD"],
        Some(method) => vec![method],
        None => vec!["GET", "POST"],
    }
}

/// Returns the routes that need a key.
fn behind_key() -> impl Iterator<Item = (Route, Permission)> {
    let needs = |route: Route| match route.auth {
        Auth::ApiKey(needs) => Some((route, needs)),
        _ => None,
    };
    routes().into_iter().filter_map(needs)
}

/// Returns the routes that need a session.
fn behind_session() -> impl Iterator<Item = (Route, Permission)> {
    let needs = |route: Route| match route.auth {
        Auth::Session(needs) => Some((route, needs)),
        _ => None,
    };
    routes().into_iter().filter_map(needs)
}

#[test]
fn list_of_routes_is_complete() {
    let has_openid = cfg!(feature = "oidc");
    let written = ROUTES
        .lines()
        .filter(|line| has_openid || !line.contains("/oidc/"));
    let written: BTreeSet<_> = written.map(str::to_owned).collect();
    let served: BTreeSet<_> = routes().iter().map(line).collect();
    let new: Vec<_> = served.difference(&written).collect();
    let gone: Vec<_> = written.difference(&served).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not in routes.txt: {new:#?}\nonly there: {gone:#?}"
    );
}

#[test]
fn routes_are_unique() {
    let mut seen = BTreeSet::new();
    for route in routes() {
        assert!(
            seen.insert((route.method.map(|one| one.to_string()), route.path)),
            "{}",
            route.path
        );
    }
}

#[tokio::test]
async fn api_rejects_requests_without_valid_key() {
    let world = World::start().await;
    let off = world.key("off", |key| {
        key.admin = true;
        key.enabled = false;
    });
    let (off, admin) = (off.await, world.user(Role::Admin).await);
    let before = world.state().await;
    for (route, _) in behind_key() {
        for credential in [
            None,
            Some(("authorization", "Bearer rfk_nobody")),
            Some(("authorization", "Basic c29tZTpzb21l")),
            Some(("authorization", &*off)),
            Some(("cookie", &*admin.cookie)),
        ] {
            for method in methods(&route) {
                let headers: Vec<_> = credential.into_iter().collect();
                let path = world.path(route.path);
                let answer = world.client.send(method, &path, &headers, "").await;
                assert_eq!(answer.status, 401, "{method} {path} {credential:?}");
                assert_eq!(
                    answer.headers["www-authenticate"], "Bearer",
                    "{method} {path}"
                );
            }
        }
    }
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn api_rejects_keys_without_permission() {
    let world = World::start().await;
    let plain = world.key("plain", |_| ()).await;
    let inspect = world.key("inspect", |key| key.inspect = true).await;
    let before = world.state().await;
    let mut tried = 0;
    for (route, needs) in behind_key() {
        let lesser = match needs {
            Permission::Any => &[][..],
            Permission::View => &[&plain],
            Permission::Admin => &[&plain, &inspect],
        };
        for key in lesser {
            for method in methods(&route) {
                let path = world.path(route.path);
                let headers = [
                    ("authorization", &***key),
                    ("content-type", "application/json"),
                ];
                let answer = world.client.send(method, &path, &headers, "{}").await;
                assert_eq!(answer.status, 403, "{method} {path}");
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn pages_require_a_session() {
    let world = World::start().await;
    let key = world.key("admin", |key| key.admin = true).await;
    let before = world.state().await;
    for (route, _) in behind_session() {
        for credential in [
            None,
            Some(("cookie", "__Host-rf=nobody")),
            Some(("cookie", "rf=some; __Host-rf=")),
            Some(("authorization", &*key)),
        ] {
            for method in methods(&route) {
                let headers: Vec<_> = credential.into_iter().collect();
                let path = world.path(route.path);
                let answer = world.client.send(method, &path, &headers, "").await;
                assert_eq!(answer.status, 303, "{method} {path} {credential:?}");
                let place = &answer.headers["location"];
                assert!(
                    place.starts_with("/admin/login"),
                    "{method} {path}: {place}"
                );
                assert!(
                    !answer.headers.contains_key("set-cookie"),
                    "{method} {path}"
                );
            }
        }
    }
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn admin_pages_reject_viewers() {
    let world = World::start().await;
    let viewer = world.user(Role::Viewer).await;
    let form = format!("csrf={}&on=false&name=x&role=admin", viewer.csrf);
    let headers = [
        ("cookie", &*viewer.cookie),
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
    ];
    let before = world.state().await;
    let mut tried = 0;
    for (route, _) in behind_session().filter(|(_, needs)| *needs == Permission::Admin) {
        for method in methods(&route) {
            let path = world.path(route.path);
            let answer = world.client.send(method, &path, &headers, &*form).await;
            assert_eq!(answer.status, 403, "{method} {path}");
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn forms_require_token_of_the_session() {
    let world = World::start().await;
    let (admin, viewer) = (
        world.user(Role::Admin).await,
        world.user(Role::Viewer).await,
    );
    let cookie = ("cookie", &*admin.cookie);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let (own, foreign) = (
        ("sec-fetch-site", "same-origin"),
        ("origin", "https://evil.example"),
    );
    let before = world.state().await;
    let mut tried = 0;
    for (route, _) in behind_session() {
        let changes = route.method.as_ref().is_none_or(|method| method != "GET");
        for (csrf, from) in [
            ("", own),
            ("forged", own),
            (&*viewer.csrf, own),
            (&*admin.csrf, ("sec-fetch-site", "cross-site")),
            (&*admin.csrf, ("sec-fetch-site", "same-site")),
            (&*admin.csrf, foreign),
        ] {
            if !changes {
                continue;
            }
            let path = world.path(route.path);
            let body = format!("csrf={csrf}&on=false");
            let method = route.method.as_ref().map_or("POST", Method::as_str);
            let answer = world
                .client
                .send(method, &path, &[cookie, form, from], &*body)
                .await;
            assert_eq!(answer.status, 403, "{method} {path} {csrf} {from:?}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
    assert_eq!(world.state().await, before);
    let still = world
        .client
        .send("GET", "/admin/contacts", &[cookie], "")
        .await;
    still.expect(200);
}

#[tokio::test]
async fn handlers_with_own_authentication_reject_strangers() {
    let world = World::start().await;
    let before = world.state().await;
    for route in routes() {
        let own = route.auth == Auth::Handler;
        let logs_in =
            route.auth == Auth::Public && route.method.as_ref().is_some_and(|one| one == "POST");
        if !own && !logs_in {
            continue;
        }
        for method in methods(&route) {
            let path = world.path(route.path);
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let answer = world
                .client
                .send(method, &path, &form, "message=x&user=some")
                .await;
            // A vendor gets a success, whatever it sends.
            let calls_back = path.starts_with("/ack") || path.starts_with("/inbound");
            let expected = if calls_back { 200..201 } else { 400..500 };
            assert!(
                expected.contains(&answer.status),
                "{method} {path}: {}",
                answer.status
            );
        }
    }
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn serves_every_route_with_its_methods_only() {
    let world = World::start().await;
    let mut table: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for route in routes() {
        let path = world.path(route.path);
        for method in methods(&route) {
            let answer = world.client.send(method, &path, &[], "").await;
            assert!(
                answer.status != 405 && !is_unrouted(&answer),
                "{method} {path}"
            );
        }
        let Some(method) = route.method else { continue };
        let methods = table.entry(route.path).or_default();
        methods.insert(method.to_string());
        if method == "GET" {
            methods.insert("HEAD".to_owned());
        }
    }
    for (path, methods) in table {
        let path = world.path(path);
        for method in METHODS.iter().filter(|method| !methods.contains(**method)) {
            let answer = world.client.send(method, &path, &[], "").await;
            assert_eq!(answer.status, 405, "{method} {path}");
            let allowed = answer.headers["allow"]
                .split(',')
                .map(|one| one.trim().to_owned());
            assert_eq!(allowed.collect::<BTreeSet<_>>(), methods, "{path}");
        }
    }
}

/// Returns true if there is no route at a URL.
fn is_unrouted(answer: &Answer) -> bool {
    answer.status == 404 && answer.body.contains("There is nothing at this URL")
}

#[tokio::test]
async fn serves_nothing_outside_the_table() {
    let world = World::start().await;
    let admin = world.key("admin", |key| key.admin = true).await;
    let headers = [("authorization", &*admin)];
    let table = routes();
    let mut probes: BTreeSet<String> = [
        "/", "/api", "/debug", "/.env", "/status", "/version", "//admin",
    ]
    .map(str::to_owned)
    .into();
    for route in &table {
        let path = world.path(route.path);
        let (parent, _) = path.rsplit_once('/').unwrap();
        let longer = format!(
            "{path}{}",
            if path.ends_with('/') { "more" } else { "/more" }
        );
        probes.extend([format!("/{}", parent.trim_start_matches('/')), longer]);
        probes.insert(format!("{path}.json"));
    }
    let mut tried = 0;
    for probe in probes {
        let known = table.iter().filter(|route| !route.path.contains("{*"));
        if known.into_iter().any(|route| matches(route.path, &probe)) {
            continue;
        }
        for method in ["GET", "POST", "DELETE"] {
            let answer = world.client.send(method, &probe, &headers, "").await;
            // Below /admin, strangers cannot find out which pages exist.
            let expected = if probe.starts_with("/admin/") {
                303
            } else {
                404
            };
            assert_eq!(answer.status, expected, "{method} {probe}");
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
}

/// Returns true if a path matches a pattern of the table.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern
            .zip(path)
            .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
}
