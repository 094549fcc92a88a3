//! A browser without a session.

use std::collections::BTreeMap;

use redflash_tests::{Answer, Client};
use url::form_urlencoded;

use crate::login::hidden;

pub(crate) struct Browser {
    client: Client,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The `X-Forwarded-For` header of a proxy.
    from: String,
}

impl Browser {
    pub(crate) fn new(client: &Client, from: &str) -> Self {
        Self {
            client: client.clone(),
            cookies: BTreeMap::new(),
            from: from.to_owned(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], String::new()).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let form = form.extend_pairs(fields).finish();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send("POST", path, &headers, form).await
    }

    /// Sends the form of a page.
    pub(crate) async fn fill(
        &mut self,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let page = self.get(page).await.expect(200);
        let csrf = hidden(&page.body, "csrf");
        let fields = [fields, &[("csrf", &*csrf)]].concat();
        self.post(action, &fields).await
    }

    pub(crate) async fn log_in(&mut self, user: &str, password: &str) -> Answer {
        let fields = [("user", user), ("password", password)];
        self.fill("/admin/login", "/admin/login", &fields).await
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let mut all = vec![("x-forwarded-for", &*self.from)];
        all.extend(headers);
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        let answer = self.client.send(method, path, &all, body).await;
        for line in answer
            .headers
            .get("set-cookie")
            .into_iter()
            .flat_map(|all| all.lines())
        {
            let (pair, about) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if about.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}
