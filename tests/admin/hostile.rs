//! Texts that mean harm, in every field of everything: every page shows them as the texts they are.

use redflash_tests::{Reply, until};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::pages::{answer, pages};
use crate::world::World;

/// A name that would be a script, an attribute, a template and a link, and reads backwards.
const NAME: &str = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>' onclick='alert(3)\
    {{csrf}}{{{page}}}</textarea></title><svg onload=alert(4)>\u{202e}javascript:alert(5)\u{2066}";

/// The form of a page.
const FORM: &str = "main :is(form.form, form.filters, form.sift)";

/// What a page must not have: a script of its own, a handler, a link that is a script, or anything
/// loaded that is not ours.
const HARM: &str = "
    const all = [...document.querySelectorAll('*')];
    const handlers = all.filter(one => [...one.attributes].some(given => given.name.startsWith('on')));
    const strangers = document.querySelectorAll('script:not([src^=\"/admin/assets/\"]), img, iframe, object, main svg[onload]');
    const links = all.filter(one => ['href', 'src', 'action', 'formaction']
        .some(name => /^\\s*javascript:/i.test(one.getAttribute(name) ?? '')));
    return [...handlers, ...strangers, ...links].map(one => one.outerHTML.slice(0, 200));";

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_mean_harm_are_shown_as_texts_wherever_they_are_typed() {
    let world = World::as_user("boss").await;
    let long = "x".repeat(10_000);
    for text in [NAME, "\u{0}\u{1}\u{1b}[2J", &long] {
        for path in pages().filter(|path| !path.contains('{')) {
            world.visit(path).await;
            if fill_with(&world, text).await {
                submit(&world).await;
                is_harmless(&world, path).await;
            }
        }
    }
    let text: String = form_urlencoded::byte_serialize(NAME.as_bytes()).collect();
    for query in [
        "log?state=X&channel=X&gateway=X&contact=X&target=X&since=X&until=X&before=X",
        "audit?subject=X&actor=X&before=X",
        "inbound?contact=X&gateway=X&before=X",
        "contacts?q=X&after=X&said=X",
        "users?q=X&after=X",
        "send?target=X",
        "search?q=X",
        "X?said=X",
        "contacts/X",
        "login?next=X&user=X",
    ] {
        let path = format!("/admin/{}", query.replace('X', &text));
        world.visit(&path).await;
        is_harmless(&world, query).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_mean_harm_are_shown_as_texts_wherever_they_are_kept() {
    let world = World::as_user("boss").await;
    let slugs = keep(&world).await;
    for path in pages() {
        let kind = path.split('/').nth(2).unwrap_or_default();
        let slug = match kind {
            "log" => &slugs.notification,
            "gateways" => "hooks",
            "users" => "guest",
            _ => "evil",
        };
        let path = path.replace("{slug}", slug).replace(
            "{id}",
            match kind {
                "contacts" => &slugs.endpoint,
                _ => &slugs.notification,
            },
        );
        world.visit(&path).await;
        is_harmless(&world, &path).await;
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
        is_harmless(&world, path).await;
        world.page_says(NAME).await;
    }
}

/// What was kept with such texts.
struct Kept {
    endpoint: String,
    notification: String,
}

/// Keeps such texts in everything that has a name, a message, or an answer.
async fn keep(world: &World) -> Kept {
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
        is_harmless(world, page).await;
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
    Kept {
        endpoint: shown["endpoints"][0]["id"].as_str().unwrap().to_owned(),
        notification,
    }
}

/// Puts a text into every field of the page's first form; says whether there is one.
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

/// Sends the page's first form, and waits for the next page.
async fn submit(world: &World) {
    world.browser.execute("window.isOld = true").await;
    world.browser.submit(FORM).await;
    until("the next page is there", async || {
        let is_new = "return !window.isOld && document.readyState == 'complete'";
        (world.browser.execute(is_new).await == true).then_some(())
    })
    .await;
}

/// Puts texts into fields by their names.
async fn set(world: &World, fields: &Value) {
    let script = format!(
        "for (const [name, value] of Object.entries({fields}))
             document.querySelector(`main form.form [name=${{name}}]`).value = value;"
    );
    world.browser.execute(&script).await;
}

/// Fails the test when the page does anything, or its browser has complained.
async fn is_harmless(world: &World, page: &str) {
    let harm = world.browser.execute(HARM).await;
    assert_eq!(harm, json!([]), "{page}");
    let console = world.browser.console().await;
    // Refusals are logged too, and hints to those who write pages.
    let is_plain = |line: &String| {
        line.contains("the server responded with a status of 4") || line.starts_with("DEBUG")
    };
    let complaints: Vec<_> = console.iter().filter(|line| !is_plain(line)).collect();
    assert_eq!(complaints, [""; 0], "{page}");
}
