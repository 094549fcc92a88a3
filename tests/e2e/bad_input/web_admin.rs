//! Rows about the web admin, on an installation of their own: nobody there may dial loopback.

use redflash_core::clock::Timestamp;
use redflash_core::model::{Role, Session, User};
use redflash_core::store::{Save, Store};
use redflash_http::hash_password;
use redflash_store::{Access, PostgresConfig, PostgresStore, SqliteStore};
use redflash_tests::raw::Exchange;
use redflash_tests::{Answer, Client, Config, Site};
use secrecy::ExposeSecret;
use url::form_urlencoded;

use super::effect::{self, Happened};
use super::row::Row;
use super::stage::Stage;
use super::{answered, exchange};
use crate::world::World;

const PASSWORD: &str = "correct horse battery";
/// Number of failed logins allowed in a minute.
const TRIES: usize = 10;

/// An installation with one of everything that the rows name. Its only admin is `1`, whose session
/// the rows have.
#[derive(Debug)]
pub(crate) struct WebAdmin {
    stage: Stage,
    store: Box<dyn Store>,
    /// Placeholders for a viewer's session and its form token.
    viewer: Seat,
    /// A session whose user has another password by now.
    old: Seat,
    /// A session that nobody has used for long.
    idle: String,
}

/// The secret of a session, and the token of its forms.
#[derive(Debug)]
struct Seat {
    cookie: String,
    csrf: String,
}

impl WebAdmin {
    pub(crate) async fn start() -> Self {
        let hooks = "name = \"hooks\"\ntype = \"webhook\"";
        let world = World::with_hooks(Config::new(), hooks).await;
        let store = store(&world.site).await;
        let idle = people(&*store).await;
        for slug in ["1", "demo-user"] {
            world.contact(slug, &["--sms", "+447700900001"]).await;
        }
        for message in ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "a,\"b\""] {
            world.raise("contact/1", message).await;
        }
        let client = &world.client;
        let admin = Seat::take(client, "1").await;
        let viewer = Seat::take(client, "guest").await;
        let old = Seat::take(client, "changed").await;
        old.change_password(client).await;
        let names = vec![
            ("SESSION", admin.cookie),
            ("CSRF", admin.csrf),
            ("ORIGIN", "http://localhost".into()),
            ("DOMAIN", "localhost".into()),
            ("ONCE", "0123456789abcdef".into()),
            ("PW", PASSWORD.replace(' ', "+")),
            ("PW73X", format!("{}y", "x".repeat(72))),
            ("CONTACT", "demo-user".into()),
        ];
        Self {
            stage: Stage { world, names },
            store,
            viewer,
            old,
            idle,
        }
    }

    /// Does what a row says, and says what is not as it should be.
    pub(crate) async fn run(&self, row: &Row) -> Vec<String> {
        let row = &self.dressed(row).await;
        let before = self.version().await;
        let often = match &*row.expected {
            "429" => TRIES,
            _ => usize::from(row.body.contains("{ONCE}")),
        };
        for number in 0..often {
            exchange(&from_elsewhere(row, number), &self.stage).await;
        }
        let exchange = exchange(&from_elsewhere(row, often), &self.stage).await;
        let exchange = self.followed(row, exchange).await;
        let wrong = answered(row, &exchange);
        let happened = Happened {
            exchange,
            before,
            after: self.version().await,
        };
        let otherwise = effect::of(row, &happened, &self.stage).await;
        wrong.into_iter().chain(otherwise).collect()
    }

    /// A row as its session sends it.
    async fn dressed(&self, row: &Row) -> Row {
        let mut row = row.clone();
        let replace = |text: &str, seat: &Seat| {
            text.replace("{SESSION}", &seat.cookie)
                .replace("{CSRF}", &seat.csrf)
        };
        let headers = row.headers.replace("{SESSION}:oldpw", &self.old.cookie);
        row.headers = headers.replace("{SESSION}:idle", &self.idle);
        if let Some(headers) = row.headers.strip_suffix(" | role: viewer") {
            row.headers = replace(headers, &self.viewer);
            row.body = replace(&row.body, &self.viewer);
        }
        if row.effect.contains("without the cookie") {
            row.headers.clear();
        }
        if row.path == "/admin/login" {
            let door = Seat::at_the_door(&self.stage.world.client).await;
            let cookie = ["Cookie: __Host-rf-login=", &door.cookie].concat();
            row.headers = [&*row.headers, &cookie].join(" | ");
            row.body = replace(&row.body, &door);
        }
        row
    }

    /// The page to which a browser is sent by a form, where the answer to that is asked for.
    async fn followed(&self, row: &Row, answer: Exchange) -> Exchange {
        let head = answer.head();
        let place = head
            .lines()
            .find_map(|line| line.strip_prefix("location: "));
        match place {
            Some(place) if row.expects("200") => {
                let page = Row {
                    method: "GET".into(),
                    path: place.into(),
                    body: String::new(),
                    ..row.clone()
                };
                exchange(&page, &self.stage).await
            }
            _ => answer,
        }
    }

    /// A fingerprint of the directory, which changes with every save.
    async fn version(&self) -> Option<String> {
        Some(self.store.version().await.unwrap().to_string())
    }
}

impl Seat {
    /// The session of a visitor who is about to log in.
    async fn at_the_door(client: &Client) -> Self {
        let page = client.get("/admin/login").await.expect(200);
        Self {
            cookie: cookie(&page, "__Host-rf-login"),
            csrf: token(&page),
        }
    }

    /// Logs a user in.
    async fn take(client: &Client, user: &str) -> Self {
        let door = Self::at_the_door(client).await;
        let fields = [("user", user), ("password", PASSWORD)];
        let named = format!("__Host-rf-login={}", door.cookie);
        let answer = send(client, "/admin/login", &named, &door.csrf, &fields).await;
        let cookie = cookie(&answer, "__Host-rf");
        let headers = [("cookie", &*format!("__Host-rf={cookie}"))];
        let page = client.send("GET", "/admin/profile", &headers, "").await;
        let csrf = token(&page.expect(200));
        Self { cookie, csrf }
    }

    async fn change_password(&self, client: &Client) {
        let fields = [
            ("name", "changed"),
            ("password", PASSWORD),
            ("new_password", "battery horse correct"),
            ("repeat_password", "battery horse correct"),
        ];
        let named = format!("__Host-rf={}", self.cookie);
        send(client, "/admin/profile", &named, &self.csrf, &fields).await;
    }
}

/// Sends a form, which must be done.
async fn send(
    client: &Client,
    path: &str,
    cookie: &str,
    csrf: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("csrf", csrf)
        .extend_pairs(fields)
        .finish();
    let headers = [
        ("cookie", cookie),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    client.send("POST", path, &headers, form).await.expect(303)
}

/// The value of a cookie that an answer sets.
fn cookie(answer: &Answer, name: &str) -> String {
    let mut lines = answer.headers["set-cookie"].lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let (value, _) = value.unwrap().split_once(';').unwrap();
    value.to_owned()
}

/// The token of a page's forms.
fn token(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"csrf\" value=\"").unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    token.replace("&#x3D;", "=")
}

/// A row that says to come from another address each time.
fn from_elsewhere(row: &Row, number: usize) -> Row {
    let address = format!("203.0.113.{number}");
    Row {
        headers: row.headers.replace("@random", &address),
        ..row.clone()
    }
}

/// The database of an installation.
async fn store(site: &Site) -> Box<dyn Store> {
    let url = site.database_url();
    if url.starts_with("sqlite:") {
        let store = SqliteStore::open(site.database(), Access::Shared);
        Box::new(store.unwrap())
    } else {
        let store = PostgresStore::open(&PostgresConfig::new(url)).await;
        Box::new(store.unwrap())
    }
}

/// Saves the users whom the rows name; returns the secret of a session that nobody has used for long.
async fn people(store: &dyn Store) -> String {
    let long = format!("{}z", "x".repeat(72));
    for (slug, role, password) in [
        ("1", Role::Admin, PASSWORD),
        ("admin", Role::Viewer, PASSWORD),
        ("guest", Role::Viewer, PASSWORD),
        ("changed", Role::Viewer, PASSWORD),
        ("long", Role::Viewer, &long),
    ] {
        let slug: redflash_core::model::Slug = slug.parse().unwrap();
        let name = slug.as_str().parse().unwrap();
        let mut user = User::new(slug, name, role, Timestamp::from_millis(1));
        user.password = Some(hash_password(&password.into()).await.unwrap());
        store.save(&[user.into()], Save::Create).await.unwrap();
    }
    let (session, secret) = Session::start("guest".parse().unwrap(), Timestamp::from_millis(1));
    store.start_session(&session).await.unwrap();
    secret.expose_secret().to_owned()
}
