//! Complete logins through a mock provider.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use http_body_util::BodyExt;
use redflash_core::clock::ManualClock;
use redflash_core::model::{PasswordHash, Role, User};
use redflash_core::store::{Audit, AuditFilter, Directory, MemoryStore, Save};
use serde_json::{Value, json};
use tower::ServiceExt;
use url::{Url, form_urlencoded};

use super::*;
use crate::OidcConfig;
use crate::oidc::mock_provider::{COME_BACK, Key, MockProvider, NOW};
use crate::{AdminConfig, HttpConfig};

struct World {
    site: MockProvider,
    store: Arc<MemoryStore>,
    app: Router,
}

/// A response of the server.
struct Answered {
    status: u16,
    location: String,
    body: String,
}

/// A browser that keeps its cookies.
struct Browser<'a> {
    world: &'a World,
    cookies: BTreeMap<String, String>,
}

impl World {
    async fn start(change: impl FnOnce(&mut OidcConfig)) -> Self {
        let site = MockProvider::start(Key::edwards("one")).await;
        let mut oidc = site.config();
        change(&mut oidc);
        let store = Arc::new(MemoryStore::new());
        let engine = redflash_core::Engine::builder(Arc::clone(&store));
        let engine = engine.clock(Arc::new(ManualClock::new(NOW)));
        let config = HttpConfig {
            public_url: Some("https://alerts.example.org/".into()),
            admin: AdminConfig { oidc: Some(oidc) },
            ..HttpConfig::default()
        };
        let app = crate::router(engine.build().unwrap(), config);
        Self { site, store, app }
    }

    /// Starts a server that takes roles from the claim `groups`, and creates users.
    async fn with_roles() -> Self {
        Self::start(|oidc| {
            oidc.role_claim = Some("groups".into());
            oidc.create_users = true;
        })
        .await
    }

    async fn says(&self, claim: &str, value: Value) {
        let mut behavior = self.site.behavior.lock().await;
        behavior.claims.insert(claim.into(), value);
    }

    async fn save(&self, slug: &str, change: impl FnOnce(&mut User)) {
        let slug: redflash_core::model::Slug = slug.parse().unwrap();
        let mut user = User::new(slug, "Ada".parse().unwrap(), Role::Viewer, NOW);
        change(&mut user);
        self.store.save(&[user.into()], Save::Upsert).await.unwrap();
    }

    async fn find(&self, slug: &str) -> Option<User> {
        self.store.user(&slug.parse().unwrap()).await.unwrap()
    }

    fn browser(&self) -> Browser<'_> {
        Browser {
            world: self,
            cookies: BTreeMap::new(),
        }
    }
}

impl Browser<'_> {
    async fn get(&mut self, path: &str) -> Answered {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::get(path).header(COOKIE, cookies.join("; "));
        let request = request.body(Body::empty()).unwrap();
        let response = self.world.app.clone().oneshot(request).await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            let (pair, about) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if about.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = response.headers().get(LOCATION);
        Answered {
            status: response.status().as_u16(),
            location: location.map_or_else(String::new, |at| at.to_str().unwrap().to_owned()),
            body: {
                let body = response.into_body().collect().await.unwrap().to_bytes();
                String::from_utf8(body.to_vec()).unwrap()
            },
        }
    }

    /// Logs in at the provider. Returns the path that the provider redirects to.
    async fn go_away(&mut self, next: &str) -> String {
        let away = self.get(&format!("/admin/oidc/begin?next={next}")).await;
        assert_eq!(away.status, 303, "{}", away.body);
        let query = self
            .world
            .site
            .log_in(&Url::parse(&away.location).unwrap())
            .await;
        let mut back = form_urlencoded::Serializer::new(String::new());
        let back = back.extend_pairs(query).finish();
        let path = COME_BACK
            .strip_prefix("https://alerts.example.org")
            .unwrap();
        format!("{path}?{back}")
    }

    async fn log_in(&mut self) -> Answered {
        let back = self.go_away("/admin/contacts").await;
        let answered = self.get(&back).await;
        assert!(
            !self.cookies.contains_key("__Host-rf-oidc"),
            "it is used up"
        );
        let is_in = self.get("/admin/contacts").await.status == 200;
        assert_eq!(is_in, answered.status == 303, "{}", answered.body);
        answered
    }
}

#[tokio::test]
async fn links_namesake_to_account_at_login() {
    let world = World::start(|_| {}).await;
    world.save("ada", |_| {}).await;
    let mut browser = world.browser();
    let page = browser.get("/admin/login?next=/admin/contacts").await;
    let link = "href=\"/admin/oidc/begin?next&#x3D;%2Fadmin%2Fcontacts\">Log in<";
    assert!(page.body.contains(link), "{}", page.body);
    let answered = browser.log_in().await;
    assert_eq!(
        (answered.status, &*answered.location),
        (303, "/admin/contacts")
    );
    let ada = world.find("ada").await.unwrap();
    assert_eq!(
        (ada.subject.as_deref(), ada.role),
        (Some("248289"), Role::Viewer)
    );
    let newest = AuditFilter {
        subject: Some("user/ada".into()),
        by: None,
        before: None,
        limit: std::num::NonZeroU32::MIN,
    };
    assert_eq!(ada.issuer, Some(world.site.config().issuer));
    let entries = world.store.audit_entries(&newest).await.unwrap();
    assert_eq!(entries[0].action, redflash_core::model::Action::LoggedIn);
    // From now on it is the account that counts, not its name.
    world.says("preferred_username", json!("countess")).await;
    assert_eq!(world.browser().log_in().await.status, 303);
}

#[tokio::test]
async fn rejects_unknown_foreign_and_disabled_users() {
    let world = World::start(|_| {}).await;
    let refused = world.browser().log_in().await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .body
            .contains("There is no user for your OpenID account"),
        "{}",
        refused.body
    );
    world
        .save("ada", |ada| ada.subject = Some("another".into()))
        .await;
    let refused = world.browser().log_in().await;
    assert!(refused.body.contains("The user ada is linked to another"));
    world
        .save("ada", |ada| ada.password = Some(PasswordHash::new("x")))
        .await;
    let refused = world.browser().log_in().await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .body
            .contains("The user ada logs in with a password")
    );
    world.save("ada", |ada| ada.enabled = false).await;
    let refused = world.browser().log_in().await;
    assert!(refused.body.contains("Your user is switched off"));
    assert_eq!(world.find("ada").await.unwrap().subject, None);
}

#[tokio::test]
async fn subject_of_another_provider_is_another_user() {
    let world = World::start(|_| {}).await;
    world
        .save("ada", |ada| {
            ada.subject = Some("248289".into());
            ada.issuer = Some("https://old.example.org".into());
        })
        .await;
    // Neither under the same name, nor under another.
    let refused = world.browser().log_in().await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("The user ada is linked to another"));
    world.says("preferred_username", json!("eve")).await;
    assert_eq!(world.browser().log_in().await.status, 403);
    let ada = world.find("ada").await.unwrap();
    assert_eq!(ada.issuer.as_deref(), Some("https://old.example.org"));
}

#[tokio::test]
async fn subject_without_issuer_needs_matching_name() {
    let world = World::start(|_| {}).await;
    let tied = |ada: &mut User| ada.subject = Some("248289".into());
    world.save("ada", tied).await;
    world.says("preferred_username", json!("eve")).await;
    assert_eq!(world.browser().log_in().await.status, 403);
    assert_eq!(world.find("ada").await.unwrap().issuer, None);
    world.says("preferred_username", json!("ada")).await;
    assert_eq!(world.browser().log_in().await.status, 303);
    let issuer = world.site.config().issuer;
    assert_eq!(world.find("ada").await.unwrap().issuer, Some(issuer));
    // From now on it is the account that counts.
    world.says("preferred_username", json!("eve")).await;
    assert_eq!(world.browser().log_in().await.status, 303);
}

#[tokio::test]
async fn creates_user_with_role_of_provider() {
    let world = World::with_roles().await;
    world.says("groups", json!(["guests"])).await;
    let refused = world.browser().log_in().await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("no role"), "{}", refused.body);
    world.says("groups", json!(["ops"])).await;
    world
        .says("preferred_username", json!("ada.l@example.org"))
        .await;
    assert_eq!(world.browser().log_in().await.status, 303);
    let ada = world.find("ada-l-example-org").await.unwrap();
    assert_eq!((ada.name.as_str(), ada.role), ("Ada Lovelace", Role::Admin));
    assert!(ada.password.is_none());
    // Another account whose name would be the same slug.
    world.says("sub", json!("other")).await;
    world
        .says("preferred_username", json!("ada-l.example.org"))
        .await;
    let refused = world.browser().log_in().await;
    assert!(
        refused
            .body
            .contains("The user ada-l-example-org is linked to another")
    );
}

#[tokio::test]
async fn role_follows_provider_except_for_last_admin() {
    let world = World::with_roles().await;
    world.save("ada", |_| {}).await;
    world.says("groups", json!(["ops"])).await;
    world.browser().log_in().await;
    assert_eq!(world.find("ada").await.unwrap().role, Role::Admin);
    world.says("groups", json!(["staff"])).await;
    assert_eq!(world.browser().log_in().await.status, 303);
    assert_eq!(
        world.find("ada").await.unwrap().role,
        Role::Admin,
        "the last one"
    );
    world.save("bob", |bob| bob.role = Role::Admin).await;
    assert_eq!(world.browser().log_in().await.status, 303);
    assert_eq!(world.find("ada").await.unwrap().role, Role::Viewer);
    world.says("groups", json!([])).await;
    assert_eq!(world.browser().log_in().await.status, 403);
}

#[tokio::test]
async fn response_works_once_in_its_browser() {
    let world = World::start(|_| {}).await;
    world.save("ada", |_| {}).await;
    let mut ada = world.browser();
    let back = ada.go_away("//evil.example").await;
    let mut other = world.browser();
    let refused = other.get(&back).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .body
            .contains("No login was started in this browser"),
        "{}",
        refused.body
    );
    other.go_away("/admin").await;
    assert_eq!(other.get(&back).await.status, 403);
    let cookies = ada.cookies.clone();
    let answered = ada.get(&back).await;
    assert_eq!((answered.status, &*answered.location), (303, "/admin"));
    ada.cookies = cookies;
    assert_eq!(ada.get(&back).await.status, 403);
    let twice = format!("{back}&state=x&state=y");
    assert_eq!(ada.get(&twice).await.status, 403);
}

#[tokio::test]
async fn explains_unavailable_provider() {
    let world = World::start(|oidc| oidc.issuer = "http://127.0.0.1:1".into()).await;
    let refused = world.browser().get("/admin/oidc/begin").await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("is unavailable") && refused.body.contains("Back to login"));
    let store = Arc::new(MemoryStore::new());
    let engine = redflash_core::Engine::builder(store).build().unwrap();
    let app = crate::router(engine, HttpConfig::default());
    for path in ["/admin/oidc/begin", "/admin/oidc/callback?code=x&state=y"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}
