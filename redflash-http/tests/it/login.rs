//! Logged-in users of the web admin, and assertions about their pages.

use redflash_core::clock::Timestamp;
use redflash_core::model::{KeyHash, Role, Session, User};
use redflash_core::store::{Directory, MemoryStore, Save, Sessions};
use redflash_tests::{Answer, Client};
use secrecy::ExposeSecret;
use url::form_urlencoded;

/// A text that would do harm if a page did not escape it.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script>\" onclick=\"x\" {{csrf}}";

/// The user of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    Admin,
    Viewer,
}

/// A logged-in user.
pub(crate) struct Login {
    pub(crate) cookie: String,
    /// The hash of the session.
    pub(crate) session: KeyHash,
    /// The token of the forms.
    pub(crate) csrf: String,
}

/// An admin, `boss`, and a viewer, `guest`.
pub(crate) struct Logins {
    pub(crate) client: Client,
    visitors: [Login; 2],
}

impl Login {
    /// Creates a user, and logs in.
    pub(crate) async fn log_in(
        client: &Client,
        store: &MemoryStore,
        slug: &str,
        role: Role,
        now: Timestamp,
    ) -> Self {
        let user = User::new(slug.parse().unwrap(), slug.parse().unwrap(), role, now);
        let (session, secret) = Session::start(user.slug.clone(), now);
        store.save(&[user.into()], Save::Create).await.unwrap();
        store.start_session(&session).await.unwrap();
        let cookie = format!("__Host-rf={}", secret.expose_secret());
        let headers = [("cookie", &*cookie)];
        let page = client.send("GET", "/admin/contacts", &headers, "").await;
        let csrf = hidden(&page.expect(200).body, "csrf");
        Self {
            cookie,
            session: session.hash,
            csrf,
        }
    }
}

impl Logins {
    /// Logs both in.
    pub(crate) async fn log_in(client: Client, store: &MemoryStore, now: Timestamp) -> Self {
        let boss = Login::log_in(&client, store, "boss", Role::Admin, now).await;
        let guest = Login::log_in(&client, store, "guest", Role::Viewer, now).await;
        Self {
            client,
            visitors: [boss, guest],
        }
    }

    pub(crate) const fn who(&self, who: Who) -> &Login {
        &self.visitors[who as usize]
    }

    pub(crate) async fn get_as(&self, who: Who, path: &str) -> Answer {
        let headers = [("cookie", self.who(who).cookie.as_str())];
        self.client.send("GET", path, &headers, "").await
    }

    /// Gets a page as the admin.
    pub(crate) async fn page(&self, path: &str) -> String {
        self.get_as(Who::Admin, path).await.expect(200).body
    }

    pub(crate) async fn post_as(&self, who: Who, path: &str, fields: &[(&str, &str)]) -> Answer {
        let visitor = self.who(who);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        if !fields.iter().any(|(name, _)| *name == "csrf") {
            form.append_pair("csrf", &visitor.csrf);
        }
        let headers = [
            ("cookie", visitor.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.client
            .send("POST", path, &headers, form.finish())
            .await
    }

    /// Sends a form as the admin.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_as(Who::Admin, path, fields).await
    }

    /// Sends a valid form as the admin; returns the target of the redirect.
    pub(crate) async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await.expect(303);
        answer.headers["location"].clone()
    }

    /// Asserts that only an admin may send a form, and only with the form token.
    pub(crate) async fn are_guarded(&self, path: &str, fields: &[(&str, &str)]) {
        self.post_as(Who::Viewer, path, fields).await.expect(403);
        let forged = [fields, &[("csrf", "forged")]].concat();
        self.post(path, &forged).await.expect(403);
    }
}

/// Returns the value of the first hidden field with a name.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&field).expect("the page has the field");
    rest.split_once('"').unwrap().0.to_owned()
}

/// Fails the test unless every text is in the page.
pub(crate) fn says(page: &str, texts: &[&str]) {
    let plain = page.replace("&#x3D;", "=");
    for text in texts {
        assert!(
            plain.contains(text) || page.contains(text),
            "{text:?} is not in\n{page}"
        );
    }
    assert!(!page.contains("<script>"), "a text became a script");
}

/// Fails the test if a text is in the page.
pub(crate) fn lacks(page: &str, text: &str) {
    assert!(!page.contains(text), "{text:?} is in\n{page}");
}
