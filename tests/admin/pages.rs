//! Every page of the web admin from the route table, with example data.

use axum::http::Method;
use redflash_http::{Auth, routes};
use redflash_tests::{Reply, until};
use url::form_urlencoded;

use crate::world::{CALLBACK_SECRET, World};

/// Routes that are not pages: assets, the CSV export, the event stream and the OpenID redirects.
const NO_PAGES: [&str; 5] = [
    "/admin/assets/{name}",
    "/admin/log.csv",
    "/admin/log/{id}/events",
    "/admin/oidc/begin",
    "/admin/oidc/callback",
];

/// Commands that create a directory with one of everything.
const DIRECTORY: &str = "set -e
redflash contact add bob --name 'Bob the Builder' --webhook HOOK --sms +447700900123
redflash contact add off --name 'Away' --sms +447700900123
redflash contact add nowhere --name 'No endpoints'
redflash contact off off
redflash endpoint off bob sms +447700900123
redflash group add ops --name Operations --contact ada --contact bob --contact off
redflash group add empty --name Empty
redflash event add down --name 'Host down' --subject 'Down: {{host}}' --message '{{host}} is down' --group ops
redflash event add broken --name Broken --message '{{truncate text n}}' --contact ada
redflash event add away --name 'Disabled' --message m
redflash event off away
redflash key add away
redflash key off away";

/// Notifications for the example pages.
#[derive(Debug)]
pub(crate) struct Examples {
    /// A notification with a failed delivery.
    pub(crate) failed: String,
    /// A notification of an event whose template fails.
    pub(crate) degraded: String,
}

impl Examples {
    /// Fills the directory and the log with examples.
    pub(crate) async fn make(world: &World) -> Self {
        world.hooked("ada").await;
        let commands = DIRECTORY.replace("HOOK", &world.webhook.url("/bob"));
        world.site.shell(&commands).run().await.succeeded();
        let key = world.site.key("nagios", &["--inspect"]).await;
        world.raise("contact/ada", &key, "All is well").await;
        world.webhook.expect(1).await;
        world.webhook.once(Reply::status(201));
        world.webhook.once(Reply::body(410, "<b>no such hook</b>"));
        let failed = world.raise("group/ops", &key, "It burns").await;
        let arguments = [("text", "a"), ("n", "b")];
        let degraded = world.client.raise("event/broken", &key, &arguments).await;
        let degraded = degraded.expect(201).notification();
        world.webhook.expect(4).await;
        world.webhook.once(Reply::status(503));
        world.raise("contact/ada", &key, "This waits").await;
        for text in ["Got it", "STOP"] {
            answer(world, text).await;
        }
        until("a delivery has failed", async || {
            let deliveries = world.notification(&failed, &key).await["deliveries"].clone();
            let mut deliveries = deliveries.as_array().unwrap().iter();
            deliveries.any(|one| one["state"] == "failed").then_some(())
        })
        .await;
        Self { failed, degraded }
    }

    /// Returns the path of every page, including searches without results.
    pub(crate) async fn paths(&self, world: &World) -> Vec<String> {
        let show = ["contact", "show", "bob", "--json"];
        let shown = world.site.run(show).await.json();
        let endpoint = shown["endpoints"][0]["id"].as_str().unwrap();
        let pages = pages().map(|path| {
            let slug = match path {
                path if path.starts_with("/admin/contacts/") => "bob",
                path if path.starts_with("/admin/groups/") => "ops",
                path if path.starts_with("/admin/events/") => "down",
                path if path.starts_with("/admin/keys/") => "nagios",
                path if path.starts_with("/admin/users/") => "guest",
                path if path.starts_with("/admin/gateways/") => "hooks",
                path => {
                    let known = !path.contains("{slug}");
                    assert!(known, "no example for {path}");
                    ""
                }
            };
            let id = if path.contains("/endpoints/") {
                endpoint
            } else {
                &self.failed
            };
            path.replace("{slug}", slug).replace("{id}", id)
        });
        let more = [
            "/admin/contacts/off",
            "/admin/contacts/nowhere",
            "/admin/contacts?q=in+vain",
            "/admin/groups/empty",
            "/admin/events/broken",
            "/admin/gateways/vonage-uk",
            "/admin/send?target=contact/bob",
            "/admin/send?target=event/down",
            "/admin/search?q=ada",
            "/admin/search?q=in+vain",
            "/admin/log?q=in+vain&since=soon",
            "/admin/audit?subject=contact/bob",
            "/admin/contacts/bob?notice=saved",
            "/admin/contacts/in-vain",
        ];
        let more = more.into_iter().map(str::to_owned);
        let degraded = format!("/admin/log/{}", self.degraded);
        pages.chain(more).chain([degraded]).collect()
    }
}

/// Returns the routes of pages that need a session.
pub(crate) fn pages() -> impl Iterator<Item = &'static str> {
    let is_page = |auth: Auth| matches!(auth, Auth::Session(_));
    let pages = routes().into_iter().filter(move |route| {
        route.method == Some(Method::GET) && is_page(route.auth) && !NO_PAGES.contains(&route.path)
    });
    pages.map(|route| route.path)
}

/// Delivers an inbound SMS with this text.
pub(crate) async fn answer(world: &World, text: &str) {
    let path = format!("/inbound/vonage-uk/{CALLBACK_SECRET}");
    let number = [("msisdn", "447700900123"), ("messageId", text)];
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(number)
        .append_pair("text", text)
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = world.client.send("POST", &path, &headers, form).await;
    answer.expect(200);
}
