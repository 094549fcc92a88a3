//! A gallery of all partials, with hostile contents. The pages are written to the directory in
//! `REDFLASH_GALLERY`, if it is set.

use redflash_core::delivery::DeliveryState;
use serde_json::{Value, json};

use super::*;
use crate::admin::dashboard::chart::{Bucket, Chart};
use crate::admin::ui::field::{Checklist, Choice, Confirm, Field, Switch};
use crate::admin::ui::pagination::PageLinks;
use crate::admin::ui::partials::{
    Empty, ErrorPage, Link, Login, Plan, PlannedDelivery, SkippedRecipient, Step,
};

const HOSTILE: &str = "<script>alert('x')</script>\" onclick=\"x\" style=\"x\" {{csrf}}";
const NOW: Timestamp = Timestamp::from_millis(1_795_581_130_000);

fn templates() -> Templates {
    let mut templates = Templates::new().unwrap();
    let gallery = include_str!("gallery.hbs");
    templates
        .0
        .register_template_string("gallery", gallery)
        .unwrap();
    templates
}

fn frame<P>(page: P) -> Frame<'static, P> {
    Frame {
        base: "",
        title: HOSTILE,
        nav: Some(Section::Contacts),
        user: Some(Person {
            name: "Grace Hopper",
            role: "admin",
        }),
        csrf: "0f3b9c",
        flash: Some(FlashMessage::new("Ops is on again.")),
        now: NOW,
        page,
    }
}

fn outside<P>(page: P) -> Frame<'static, P> {
    Frame {
        base: "",
        nav: None,
        user: None,
        flash: None,
        ..frame(page)
    }
}

fn link(label: &str) -> Link {
    Link {
        url: "/admin/contacts/ops".into(),
        label: label.into(),
    }
}

fn choice(value: &str, label: &str, chosen: bool) -> Choice {
    Choice {
        value: value.into(),
        label: label.into(),
        detail: Some(format!("sms, {value}")),
        chosen,
    }
}

fn fields() -> Vec<Field> {
    let roles = vec![
        choice("viewer", "Viewer", false),
        choice("admin", "Admin", true),
    ];
    vec![
        Field::text("slug", "Slug")
            .value(HOSTILE)
            .hint(
                "Lower-case letters, digits and hyphens. It is part of URLs and cannot be changed.",
            )
            .error(Some(
                "There is a contact called ops already: choose another slug.",
            ))
            .required(),
        Field::input("mail", "Mail", "email").autocomplete("email"),
        Field::password("secret", "Secret"),
        Field::area("text", "Text")
            .value(HOSTILE)
            .hint("May use {{host}} and the other fields of a raise."),
        Field::select("role", "Role", roles),
        Field::checkbox("enabled", "Switched on", true).hint("Notified when something is raised."),
    ]
}

fn members() -> Checklist {
    Checklist {
        name: "member",
        legend: "Members".into(),
        options: vec![
            choice("ops", "Ops on call", true),
            choice("dba", HOSTILE, false),
            choice("net", "Network", true),
        ],
        error: None,
    }
}

fn chart() -> Chart {
    let bucket = |hour: u64| Bucket {
        label: format!("{hour:02}:00"),
        delivered: hour * 7 % 23 + 4,
        sent: hour * 5 % 7,
        waiting: hour / 22 * 5,
        failed: u64::from(hour % 9 == 4) * 6,
        stopped: u64::from(hour % 11 == 7) * 3,
    };
    Chart::new(
        ["delivery", "deliveries"],
        "Deliveries in the last 24 hours",
        (0..24).map(bucket).collect(),
    )
}

fn plan() -> Plan {
    let delivery = |name: &str, channel: &str, address: &str| PlannedDelivery {
        contact: link(name),
        via: vec!["on-call".into()],
        channel: channel.into(),
        address: address.into(),
        obstacle: None,
    };
    Plan {
        refusal: None,
        subject: Some("Disk full".into()),
        text: format!("db-3: / is 97 % full.\nRunbook: https://wiki/disk\n{HOSTILE}"),
        missing: format!("host, {HOSTILE}"),
        unused: "hots".into(),
        deliveries: vec![
            delivery("Ops on call", "sms", "+44 7700 900123"),
            delivery("Ops on call", "mail", "ops@example.com"),
            delivery(
                HOSTILE,
                "webhook",
                "https://hooks.example.com/a-rather-long-path/that/goes/on/and/on",
            ),
        ],
        skipped: vec![
            SkippedRecipient {
                contact: link("Network"),
                endpoint: None,
                reason: "the contact is switched off".into(),
            },
            SkippedRecipient {
                contact: link("Database"),
                endpoint: Some("sms +44 7700 900123".into()),
                reason: "the same address is notified as ops".into(),
            },
        ],
    }
}

fn steps() -> Vec<Step> {
    let step = |before, state, title: &str, text: Option<&str>| Step {
        at: NOW.minus(std::time::Duration::from_secs(before)),
        state,
        title: title.into(),
        text: text.map(str::to_owned),
    };
    vec![
        step(190, Some("queued"), "Raised by key monitoring", None),
        step(
            188,
            Some("failed"),
            "Attempt 1 through twilio",
            Some("503: try again later"),
        ),
        step(128, Some("sent"), "Attempt 2 through vonage", Some(HOSTILE)),
        step(121, Some("delivered"), "Receipt", None),
    ]
}

fn contacts() -> Vec<Value> {
    let switch = |on, locked| Switch {
        action: "/admin/contacts/ops/switch".into(),
        label: format!("Contact {HOSTILE}"),
        on,
        locked,
    };
    vec![
        json!({"name": "Ops on call", "address": "+44 7700 900123", "at": NOW.minus(std::time::Duration::from_secs(121)), "state": "delivered", "switch": switch(true, false)}),
        json!({"name": "Database", "address": "https://hooks.example.com/services/T00000000/B00000000", "at": null, "state": "queued", "switch": switch(false, false)}),
        json!({"name": HOSTILE, "address": "dba@example.com", "at": NOW, "state": "quarantined", "switch": switch(true, true)}),
    ]
}

fn everything() -> Value {
    let states: Vec<_> = DeliveryState::ALL
        .iter()
        .map(|state| state.as_str())
        .collect();
    let states = [states, vec!["on", "off"]].concat();
    json!({
        "hostile": HOSTILE,
        "states": states,
        "chart": chart(),
        "search": Field::input("q", "Name or address", "search"),
        "contacts": contacts(),
        "links": PageLinks { previous: Some("?before=1".into()), next: Some("?after=2".into()) },
        "fields": fields(),
        "members": members(),
        "plan": plan(),
        "steps": steps(),
        "confirm": Confirm {
            action: "/admin/contacts/ops/remove".into(),
            ask: "Remove contact…".into(),
            text: "Two groups lose this contact. What was sent stays in the log.".into(),
            button: "Remove Ops on call".into(),
            open: true,
        },
        "empty": Empty {
            title: "No gateways yet".into(),
            text: "A gateway is what carries messages of one channel. Add one to the configuration, then come back.".into(),
            action: Some(link("How to add a gateway")),
        },
    })
}

fn login(oidc: bool, nobody: bool) -> Login {
    Login {
        user: HOSTILE.into(),
        csrf: "0f3b9c".into(),
        next: "/admin/log".into(),
        error: oidc.then(|| "That name and password do not belong together.".into()),
        oidc: oidc.then(|| link("Log in with Example")),
        nobody,
    }
}

fn error_page() -> ErrorPage {
    ErrorPage {
        status: 404,
        title: "There is no such contact".into(),
        text: format!("It may have been removed: {HOSTILE}"),
        action: Some(link("All contacts")),
    }
}

/// Returns the pages by their names.
fn pages() -> Vec<(&'static str, String)> {
    let templates = templates();
    let quiet = json!({"previous": null, "next": null});
    let bare = Plan {
        refusal: Some("everybody is switched off".into()),
        subject: None,
        deliveries: vec![],
        ..plan()
    };
    vec![
        (
            "gallery",
            templates.fill("gallery", &frame(everything())).unwrap(),
        ),
        (
            "login",
            templates
                .fill("login", &outside(login(true, false)))
                .unwrap(),
        ),
        (
            "first",
            templates
                .fill("login", &outside(login(false, true)))
                .unwrap(),
        ),
        (
            "error",
            templates.fill("error", &frame(error_page())).unwrap(),
        ),
        (
            "error-outside",
            templates.fill("error", &outside(error_page())).unwrap(),
        ),
        (
            "pager-of-one",
            fragment(&templates, "partials/pager", &quiet),
        ),
        ("plan", fragment(&templates, "partials/plan", &plan())),
        ("plan-refused", fragment(&templates, "partials/plan", &bare)),
    ]
}

/// Renders a partial alone, as a stream or a preview sends it.
fn fragment<P: Serialize>(templates: &Templates, part: &str, context: &P) -> String {
    let mut templates = Templates(templates.0.clone());
    let source = format!("{{{{> {part} page}}}}");
    templates
        .0
        .register_template_string("fragment", source)
        .unwrap();
    templates.fill("fragment", &frame(context)).unwrap()
}

#[test]
fn escapes_hostile_texts_everywhere() {
    for (name, html) in pages() {
        assert!(!html.contains("<script>"), "{name} lets a script in");
        let tags = html.split('<').filter_map(|rest| rest.split_once('>'));
        for (tag, _) in tags {
            for refused in [" style=\"", " onclick=\"", " href=\"javascript:"] {
                assert!(!tag.contains(refused), "{name} has{refused} in <{tag}>");
            }
        }
        if html.contains("<html") {
            assert!(
                html.contains("&lt;script&gt;"),
                "{name} does not show the text"
            );
        }
    }
}

#[test]
fn loads_own_assets_only() {
    let (_, html) = pages().remove(0);
    for name in ["style.css", "script.js", "icon.svg"] {
        let url = crate::admin::ui::assets::url(name).unwrap();
        assert!(
            html.contains(&format!("\"{url}\"")),
            "{url} is not in the page"
        );
    }
    assert!(
        !html.contains("src=\"http"),
        "a page loads something from elsewhere"
    );
}

#[test]
fn links_fields_to_hints_and_errors() {
    let html = fragment(&templates(), "partials/field", &fields()[0]);
    assert!(html.contains(r#"aria-describedby="slug-error slug-hint" aria-invalid="true""#));
    assert!(html.contains(r#"id="slug-error""#) && html.contains(r#"id="slug-hint""#));
}

#[test]
fn marks_the_current_menu_entry() {
    let (_, html) = pages().remove(0);
    let current = r#"<a href="/admin/contacts" aria-current="page">"#;
    // Beside the page on a desktop, in the drawer on a phone.
    assert_eq!(html.matches(current).count(), 2);
    assert_eq!(html.matches("aria-current").count(), 2);
}

#[test]
fn prefixes_every_url_with_base_path() {
    let attributes = [
        "href",
        "src",
        "action",
        "formaction",
        "data-preview-url",
        "data-events-url",
    ];
    for (name, source) in TEMPLATES {
        for attribute in attributes {
            for (at, begin) in source.match_indices(&format!(" {attribute}=\"")) {
                let url = &source[at + begin.len()..];
                let is_ours = url.starts_with('/') || url.starts_with("{{");
                let has_base = url.starts_with("{{@root.base}}");
                assert!(has_base || !is_ours, "{name}: {attribute}=\"{url:.60}");
            }
        }
    }
}

#[test]
fn rejects_missing_fields() {
    assert!(
        templates()
            .fill("error", &frame(json!({"status": 404})))
            .is_err()
    );
    let rendered = templates().render("error", &frame(json!({"status": 404})));
    assert!(rendered.contains("could not be displayed"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the caller names the directory")]
fn writes_the_gallery_on_request() {
    let Ok(directory) = std::env::var("REDFLASH_GALLERY") else {
        return;
    };
    for (name, html) in pages() {
        std::fs::write(format!("{directory}/{name}.html"), html).unwrap();
    }
}
