//! How a page is made.
//!
//! A page is a template in `page/` and a row of [`TEMPLATES`]. Its handler fills a [`Frame`] and calls
//! [`Views::render`]; the template finds its own context under `page`:
//!
//! ```text
//! {{#> layout}}
//! <header class="head"><h1>Groups</h1><p class="actions"><a class="button" href="…">New group</a></p></header>
//! {{#if page.groups}}
//! <table class="cards">
//!   <thead><tr><th scope="col">Group</th><th scope="col">State</th></tr></thead>
//!   <tbody>{{#each page.groups}}
//!     <tr><th scope="row"><a href="{{url}}">{{name}}</a></th><td data-label="State">{{> part/switch switch}}</td></tr>
//!   {{/each}}</tbody>
//! </table>
//! {{else}}{{> part/empty page.empty}}{{/if}}
//! {{/layout}}
//! ```
//!
//! A field that does not exist is an error: write `Option`s, which are `null` and may be asked with
//! `{{#if}}`, and leave nothing out of a context. Texts are escaped; `{{{ }}}` is not used. There is no
//! `style=`, no `onclick=` and no `<script>` in a page, since browsers are told to refuse them.
//!
//! | part | context |
//! | --- | --- |
//! | `{{> part/field f}}` | [`Field`](super::field::Field) |
//! | `{{> part/checklist c}}` | [`Checklist`](super::field::Checklist) |
//! | `{{> part/switch s}}` | [`Switch`](super::field::Switch), a form of its own, so never inside another |
//! | `{{> part/confirm c}}` | [`Confirm`](super::field::Confirm), likewise |
//! | `{{> part/csrf}}` | none; the first line of every `<form method="post">` |
//! | `{{> part/badge state}}` | a delivery state, `on` or `off`, as a text |
//! | `{{> part/empty e}}` | [`Empty`](super::part::Empty) |
//! | `{{> part/pager p}}` | [`Pager`](super::part::Pager) |
//! | `{{> part/timeline steps}}` | a list of [`Step`](super::part::Step) |
//! | `{{> part/plan p}}` | [`Plan`](super::part::Plan) |
//! | `{{> part/words p}}` | the same, for what is said alone; `{{> part/left-out p.left_out}}` for who is not told, `{{> part/argument-report p}}` for missing and unused arguments |
//! | `{{> part/flash f}}` | [`Flash`]; the layout shows it |
//! | `{{> part/chart c}}` | [`Chart`](super::chart::Chart) |
//!
//! | helper | gives |
//! | --- | --- |
//! | `{{time at}}` | `2026-11-25 04:32:10 UTC`; `–` for `null` |
//! | `{{ago at}}` | `3 minutes ago`; `–` for `null` |
//! | `{{plural n "delivery" "deliveries"}}` | `1 delivery`, `2 deliveries` |
//! | `{{asset "style.css"}}` | the URL of a file in `assets` |
//! | `{{#if (eq a b)}}` | handlebars' own: `eq`, `ne`, `gt`, `lt`, `and`, `or`, `not`, `len` |
//!
//! Every URL of this server is written `href="{{@root.base}}/admin…"` or `href="{{@root.base}}{{url}}"`,
//! since a proxy may show the server below a path of its own. Contexts hold URLs without it.
//!
//! Inside `{{#each}}` and in parts the frame is `@root`: `@root.csrf`, `@root.user.role`. The classes
//! are listed at the top of `style.css`, the attributes that bring a page to life in `script.js`.
//! A fragment, for `data-preview-url` or `data-events-url`, is a template without the layout, rendered
//! with the same frame.

#[cfg(test)]
mod gallery;

use handlebars::{Handlebars, RenderError, TemplateError};
use redflash_core::Timestamp;
use serde::Serialize;

use super::flash::Flash;
use super::helper;

/// Every template by its name. `part/` and `layout` are parts, the others pages.
const TEMPLATES: &[(&str, &str)] = &[
    ("audit", include_str!("page/audit.hbs")),
    ("contact", include_str!("page/contact.hbs")),
    ("contact-new", include_str!("page/contact-new.hbs")),
    ("contacts", include_str!("page/contacts.hbs")),
    ("deliveries", include_str!("page/deliveries.hbs")),
    ("endpoint", include_str!("page/endpoint.hbs")),
    ("error", include_str!("page/error.hbs")),
    ("event", include_str!("page/event.hbs")),
    ("event-new", include_str!("page/event-new.hbs")),
    ("events", include_str!("page/events.hbs")),
    ("gateway", include_str!("page/gateway.hbs")),
    ("gateways", include_str!("page/gateways.hbs")),
    ("group", include_str!("page/group.hbs")),
    ("group-new", include_str!("page/group-new.hbs")),
    ("groups", include_str!("page/groups.hbs")),
    ("home", include_str!("page/home.hbs")),
    ("inbound", include_str!("page/inbound.hbs")),
    ("key", include_str!("page/key.hbs")),
    ("key-made", include_str!("page/key-made.hbs")),
    ("key-new", include_str!("page/key-new.hbs")),
    ("keys", include_str!("page/keys.hbs")),
    ("layout", include_str!("page/layout.hbs")),
    ("log", include_str!("page/log.hbs")),
    ("login", include_str!("page/login.hbs")),
    ("notification", include_str!("page/notification.hbs")),
    ("part/account", include_str!("page/part/account.hbs")),
    ("part/arguments", include_str!("page/part/arguments.hbs")),
    ("part/badge", include_str!("page/part/badge.hbs")),
    ("part/chart", include_str!("page/part/chart.hbs")),
    ("part/checklist", include_str!("page/part/checklist.hbs")),
    ("part/confirm", include_str!("page/part/confirm.hbs")),
    ("part/csrf", include_str!("page/part/csrf.hbs")),
    ("part/deliveries", include_str!("page/part/deliveries.hbs")),
    ("part/described", include_str!("page/part/described.hbs")),
    ("part/empty", include_str!("page/part/empty.hbs")),
    ("part/endpoint", include_str!("page/part/endpoint.hbs")),
    ("part/event", include_str!("page/part/event.hbs")),
    ("part/field", include_str!("page/part/field.hbs")),
    ("part/flash", include_str!("page/part/flash.hbs")),
    ("part/health", include_str!("page/part/health.hbs")),
    ("part/history", include_str!("page/part/history.hbs")),
    ("part/left-out", include_str!("page/part/left-out.hbs")),
    ("part/mark", include_str!("page/part/mark.hbs")),
    ("part/menu", include_str!("page/part/menu.hbs")),
    ("part/naming", include_str!("page/part/naming.hbs")),
    ("part/notice", include_str!("page/part/notice.hbs")),
    ("part/pager", include_str!("page/part/pager.hbs")),
    ("part/plan", include_str!("page/part/plan.hbs")),
    ("part/preview", include_str!("page/part/preview.hbs")),
    ("part/rights", include_str!("page/part/rights.hbs")),
    ("part/samples", include_str!("page/part/samples.hbs")),
    ("part/switch", include_str!("page/part/switch.hbs")),
    ("part/tally", include_str!("page/part/tally.hbs")),
    ("part/timeline", include_str!("page/part/timeline.hbs")),
    ("part/turn", include_str!("page/part/turn.hbs")),
    ("part/words", include_str!("page/part/words.hbs")),
    (
        "part/argument-report",
        include_str!("page/part/argument-report.hbs"),
    ),
    ("preview", include_str!("page/preview.hbs")),
    ("profile", include_str!("page/profile.hbs")),
    ("search", include_str!("page/search.hbs")),
    ("send", include_str!("page/send.hbs")),
    ("send-choose", include_str!("page/send-choose.hbs")),
    ("user", include_str!("page/user.hbs")),
    ("user-new", include_str!("page/user-new.hbs")),
    ("users", include_str!("page/users.hbs")),
];

/// What is shown when a page cannot be.
const BROKEN: &str = "<!DOCTYPE html><html lang=\"en\"><title>RedFlash</title>\
    <h1>This page could not be shown</h1><p>The log of the server says why.</p></html>";

/// Every page, compiled once.
pub(crate) struct Views(Handlebars<'static>);

/// What every page is shown with; its own context is `page`.
#[derive(Serialize)]
pub(crate) struct Frame<'a, P> {
    /// What the browser calls the page.
    pub(crate) title: &'a str,
    /// The entry of the menu that leads here.
    pub(crate) nav: Option<Section>,
    /// Who is logged in; without anybody there is no menu.
    pub(crate) user: Option<Person<'a>>,
    /// The token by which a form proves to come from here.
    pub(crate) csrf: &'a str,
    /// What was done last.
    pub(crate) flash: Option<Flash>,
    /// The path below which others see the server, to be put before every URL.
    pub(crate) base: &'a str,
    /// When it is, for `{{ago}}`.
    pub(crate) now: Timestamp,
    /// What the page itself shows.
    pub(crate) page: P,
}

/// The entries of the menu.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Section {
    Home,
    Send,
    Contacts,
    Groups,
    Events,
    Log,
    Inbound,
    Gateways,
    Keys,
    Users,
    Audit,
}

/// Who is logged in.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Person<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: &'a str,
}

impl Views {
    /// Compiles every template.
    ///
    /// # Errors
    ///
    /// When one of them is no template, which the tests would have shown.
    pub(crate) fn new() -> Result<Self, Box<TemplateError>> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.set_prevent_indent(true);
        helper::register(&mut registry);
        for (name, source) in TEMPLATES {
            registry.register_template_string(name, source)?;
        }
        Ok(Self(registry))
    }

    /// The HTML of a page. One that lacks something is logged, and said to be broken.
    pub(crate) fn render<P: Serialize>(&self, page: &str, frame: &Frame<'_, P>) -> String {
        self.fill(page, frame).unwrap_or_else(|error| {
            tracing::error!(page, %error, "a page could not be rendered");
            BROKEN.to_owned()
        })
    }

    fn fill<P: Serialize>(&self, page: &str, frame: &Frame<'_, P>) -> Result<String, RenderError> {
        self.0.render(page, frame)
    }
}
