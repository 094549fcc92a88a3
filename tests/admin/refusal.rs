//! Refusal of cross-site forms and of changes by viewers.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use redflash_http::{Auth, routes};
use tokio::net::TcpListener;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn refuses_forms_without_token_and_from_other_sites() {
    let world = World::as_user("boss").await;
    let browser = &world.browser;
    for (script, title) in [
        (
            "document.querySelector('main [name=csrf]').remove()",
            "This form has expired",
        ),
        (
            "document.querySelector('main [name=csrf]').value += 'x'",
            "This form has expired",
        ),
    ] {
        world.visit("/admin/new/contact").await;
        browser.fill("[name=name]", "Eve").await;
        browser.fill("[name=slug]", "eve").await;
        browser.execute(script).await;
        browser.submit("main form.form").await;
        world.says("h1", title).await;
        world.says("main", "403").await;
    }

    // Even with a valid token.
    world.visit("/admin/new/contact").await;
    let token = world.token().await;
    let action = world.server.url("/admin/contacts");
    let form = format!(
        "<!DOCTYPE html><form method='post' action='{action}'><input name='csrf' value='{token}'>\
         <input name='name' value='Eve'><input name='slug' value='eve'><button>Win</button></form>"
    );
    browser.goto(&elsewhere(form).await).await;
    browser.submit("form").await;
    world.says("h1", "Cross-site request refused").await;

    world.visit("/admin/contacts").await;
    world.page_says("No contacts yet").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_see_no_controls_and_cannot_submit_forms() {
    let world = World::start().await;
    world.hooked("ada").await;
    world
        .site
        .run(["group", "add", "ops", "--name", "Ops", "--contact", "ada"])
        .await;
    let event = [
        "event",
        "add",
        "down",
        "--name",
        "Down",
        "--message",
        "{{host}}",
    ];
    world
        .site
        .run(event.iter().chain(&["--group", "ops"]))
        .await;
    let key = world.site.key("nagios", &["--inspect"]).await;
    let id = world.raise("contact/ada", &key, "hi").await;
    world.log_in("guest", crate::world::PASSWORD).await;
    world.arrive("/admin").await;

    for path in [
        "/admin",
        "/admin/contacts",
        "/admin/contacts/ada",
        "/admin/groups/ops",
        "/admin/events/down",
        "/admin/gateways/hooks",
        "/admin/send",
        "/admin/send?target=contact/ada",
        "/admin/inbound",
        "/admin/audit",
        &format!("/admin/log/{id}"),
    ] {
        world.visit(path).await;
        let controls = "return [...document.querySelectorAll('main form[method=post]')]
            .filter(form => form.querySelector('button:not(:disabled)'))
            .map(form => form.getAttribute('action'))
            .filter(action => !action.startsWith('/admin/preview/'))";
        let controls = world.browser.execute(controls).await;
        assert_eq!(controls, serde_json::json!([]), "{path}");
    }
    for path in ["/admin/keys", "/admin/users", "/admin/new/contact"] {
        world.visit(path).await;
        world.says("h1", "Admin role required").await;
    }
    world.visit("/admin/profile").await;
    let token = world.token().await;
    let mut tried = 0;
    for path in forms() {
        let answer = world
            .post(&path, &[("csrf", &token), ("enabled", "false")])
            .await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.body.contains("Admin role required"), "{path}");
        tried += 1;
    }
    assert!(tried > 20, "{tried} forms");
}

#[tokio::test(flavor = "multi_thread")]
async fn get_requests_change_nothing() {
    let world = World::as_user("boss").await;
    world.hooked("ada").await;
    for path in [
        "/admin/contacts/ada/delete",
        "/admin/contacts/ada/switch",
        "/admin/logout",
    ] {
        world.visit(path).await;
        world.says("h1", "Method not allowed").await;
        world.page_says("405").await;
    }
    world.visit("/admin/contacts/ada").await;
    world.arrive("/admin/contacts/ada").await;
    assert!(world.browser.exists(".head [aria-checked=true]").await);
}

/// Returns the paths of all forms for admins.
fn forms() -> impl Iterator<Item = String> {
    let is_admins = |auth: Auth| matches!(auth, Auth::Session(redflash_http::Permission::Admin));
    let forms = routes().into_iter().filter(move |route| {
        is_admins(route.auth) && route.method.as_ref().is_some_and(|method| method == "POST")
    });
    forms.map(|route| {
        let of_log = route.path.starts_with("/admin/log/");
        let id = if of_log { "0".repeat(32) } else { "1".into() };
        route.path.replace("{slug}", "ada").replace("{id}", &id)
    })
}

/// Serves a page on another port: same site, but another origin.
async fn elsewhere(page: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/", get(async move || Html(page)));
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    url
}
