//! Hostile text in every field: every page displays it as plain text.

use redflash_tests::{Reply, until};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::pages::{answer, pages};
use crate::world::World;

/// A name that tries to be a script, an attribute, a template, a link and right-to-left text.
const NAME: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>' onclick='alert(3)\
    {{csrf}}{{{page}}}</textarea></title><svg onload=alert(4)>\u{202e}javascript:alert(5)\u{2066}";

/// Selects the form of a page.
const FORM: &str = "main :is(form.form, form.filters, form.sift)";

/// Finds forbidden elements: inline scripts, event handlers, script links, and anything loaded from
/// elsewhere.
const HARM: &str = "
    const all = [...document.querySelectorAll('*')];
    const handlers = all.filter(one => [...one.attributes].some(given => given.name.startsWith('on')));
    const strangers = document.querySelectorAll('script:not([src^=\"/admin/assets/\"]), img, iframe, object, main svg[onload]');
    const links = all.filter(one => ['href', 'src', 'action', 'formaction']
        .some(name => /^\\s*javascript:/i.test(one.getAttribute(name) ?? '')));
    return [...handlers, ...strangers, ...links].map(one => one.outerHTML.slice(0, 200));";

#[tokio::test(flavor = "multi_thread")]
async fn escapes_hostile_text_in_submitted_forms() {
    let world = World::as_user("boss").await;
    let long = "x".repeat(10_000);
    for text in [NAME, "\u{0}\u{1}\u{1b}[2J", &long] {
        for path in pages().filter(|path| !path.contains('{')) {
            world.visit(path).await;
            if fill_with(&world, text).await {
                submit(&world).await;
                assert_harmless(&world, path).await;
            }
        }
    }
    let text: String = form_urlencoded::byte_serialize(NAME.as_bytes()).collect();
    for query in [
        "log?state=X&channel=X&gateway=X&contact=X&target=X&since=X&until=X&before=X",
        "audit?subject=X&actor=X&before=X",
        "inbound?contact=X&gateway=X&before=X",
        "contacts?q=X&after=X&notice=X",
        "users?q=X&after=X",
        "send?target=X",
        "search?q=X",
        "X?notice=X",
        "contacts/X",
        "login?next=X&user=X",
    ] {
        let path = format!("/admin/{}", query.replace('X', &text));
        world.visit(&path).await;
        assert_harmless(&world, query).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn escapes_hostile_text_from_the_store() {
    let world = World::as_user("boss").await;
    let stored = store_hostile(&world).await;
    for path in pages() {
        let kind = path.split('/').nth(2).unwrap_or_default();
        let slug = match kind {
            "log" => &stored.notification,
            "gateways" => "hooks",
            "users" => "guest",
            _ => "evil",
        };
        let path = path.replace("{slug}", slug).replace(
            "{id}",
            match kind {
                "contacts" => &stored.endpoint,
                _ => &stored.notification,
            },
        );
        world.visit(&path).await;
        assert_harmless(&world, &path).await;
        let titled = ["contacts", "groups", "events", "users"].contains(&kind)
            && path.matches('/').count() == 3;
        if titled {
            world.says("h1", NAME).await;
        }
    }
    for path in [
        "/admin/send?target=contact/evil",
        "/admin/send?target=event/evil",
        "/admin/search?q=script",
    ] {
        world.visit(path).await;
        assert_harmless(&world, path).await;
        world.page_says(NAME).await;
    }
}

/// Records with hostile text.
struct Stored {
    endpoint: String,
    notification: String,
}

/// Stores hostile text in every name, message and reply.
async fn store_hostile(world: &World) -> Stored {
    let url = world.webhook.url("/\"><script>alert(6)</script>");
    let browser = &world.browser;
    for (page, slug, more) in [
        (
            "/admin/new/contact",
            "evil",
            json!({ "channel": "webhook", "address": url }),
        ),
        ("/admin/new/group", "evil", json!({})),
        (
            "/admin/new/event",
            "evil",
            json!({ "message": "<b>{{x}}</b> {{{x}}}", "subject": "<i>", "sender": "" }),
        ),
        ("/admin/users/guest", "", json!({})),
    ] {
        world.visit(page).await;
        fill_with(world, NAME).await;
        let mut fields = more;
        if !slug.is_empty() {
            fields["slug"] = slug.into();
        }
        set(world, &fields).await;
        browser.execute("document.querySelectorAll('main [type=checkbox]').forEach(box => box.checked = true)").await;
        browser.submit("main form.form").await;
        world.says(".flash.good", ".").await;
        assert_harmless(world, page).await;
    }
    world
        .site
        .run(["key", "add", "evil", "--only", "contact/evil", "--inspect"])
        .await;
    let key = world.site.key("nagios", &["--inspect"]).await;
    world.webhook.once(Reply::body(410, NAME));
    let notification = world.raise("contact/evil", &key, NAME).await;
    world.webhook.expect(1).await;
    answer(world, NAME).await;
    let shown = world
        .site
        .run(["contact", "show", "evil", "--json"])
        .await
        .json();
    Stored {
        endpoint: shown["endpoints"][0]["id"].as_str().unwrap().to_owned(),
        notification,
    }
}

/// Fills every field of the first form of the page. Returns true if there is a form.
async fn fill_with(world: &World, text: &str) -> bool {
    let script = format!(
        "const form = document.querySelector({FORM:?});
         for (const field of form?.querySelectorAll('input:is([type=text], [type=search], [type=password]), textarea') ?? [])
             field.value = {};
         return !!form;",
        json!(text)
    );
    world.browser.execute(&script).await == true
}

/// Submits the first form of the page and waits for the next page.
async fn submit(world: &World) {
    world.browser.execute("window.isOld = true").await;
    world.browser.submit(FORM).await;
    until("the next page has loaded", async || {
        let is_new = "return !window.isOld && document.readyState == 'complete'";
        (world.browser.execute(is_new).await == true).then_some(())
    })
    .await;
}

/// Fills fields by name.
async fn set(world: &World, fields: &Value) {
    let script = format!(
        "for (const [name, value] of Object.entries({fields}))
             document.querySelector(`main form.form [name=${{name}}]`).value = value;"
    );
    world.browser.execute(&script).await;
}

/// Fails if the page has forbidden elements or the browser logged an error.
async fn assert_harmless(world: &World, page: &str) {
    let harm = world.browser.execute(HARM).await;
    assert_eq!(harm, json!([]), "{page}");
    let console = world.browser.console().await;
    // The console also shows 4xx responses and hints for developers.
    let is_expected = |line: &String| {
        line.contains("the server responded with a status of 4") || line.starts_with("DEBUG")
    };
    let complaints: Vec<_> = console.iter().filter(|line| !is_expected(line)).collect();
    assert_eq!(complaints, [""; 0], "{page}");
}
