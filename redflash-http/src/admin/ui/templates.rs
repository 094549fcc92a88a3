//! The templates of pages.
//!
//! A page is a template in `templates/` and a row of [`TEMPLATES`]. Its handler fills a [`Frame`] and
//! calls [`Templates::render`]; the template finds its own context under `page`:
//!
//! ```text
//! {{#> layout}}
//! <header class="head"><h1>Groups</h1><p class="actions"><a class="button" href="…">New group</a></p></header>
//! {{#if page.groups}}
//! <table class="cards">
//!   <thead><tr><th scope="col">Group</th><th scope="col">State</th></tr></thead>
//!   <tbody>{{#each page.groups}}
//!     <tr><th scope="row"><a href="{{url}}">{{name}}</a></th><td data-label="State">{{> partials/switch switch}}</td></tr>
//!   {{/each}}</tbody>
//! </table>
//! {{else}}{{> partials/empty page.empty}}{{/if}}
//! {{/layout}}
//! ```
//!
//! A missing field is an error: write `Option`s, which are `null` and work with `{{#if}}`, and skip
//! no field of a context. Texts are escaped; `{{{ }}}` is not used. A page has no `style=`, no
//! `onclick=` and no `<script>`, since the content security policy forbids them.
//!
//! | partial | context |
//! | --- | --- |
//! | `{{> partials/field f}}` | [`Field`](crate::admin::ui::field::Field) |
//! | `{{> partials/checklist c}}` | [`Checklist`](crate::admin::ui::field::Checklist) |
//! | `{{> partials/switch s}}` | [`Switch`](crate::admin::ui::field::Switch), a form of its own, so never inside another |
//! | `{{> partials/confirm c}}` | [`Confirm`](crate::admin::ui::field::Confirm), likewise |
//! | `{{> partials/csrf}}` | none; the first line of every `<form method="post">` |
//! | `{{> partials/badge state}}` | a delivery state, `on` or `off`, as a text |
//! | `{{> partials/empty e}}` | [`Empty`](crate::admin::ui::partials::Empty) |
//! | `{{> partials/page-links l}}`, `{{> partials/pager l}}` | [`PageLinks`](crate::admin::ui::pagination::PageLinks) |
//! | `{{> partials/timeline steps}}` | a list of [`Step`](crate::admin::ui::partials::Step) |
//! | `{{> partials/plan p}}` | [`Plan`](crate::admin::ui::partials::Plan) |
//! | `{{> partials/message p}}` | the same, for the message alone; `{{> partials/skipped p.skipped}}` for skipped recipients, `{{> partials/argument-report p}}` for missing and unused arguments |
//! | `{{> partials/flash f}}` | [`FlashMessage`]; the layout shows it |
//! | `{{> partials/chart c}}` | [`Chart`](crate::admin::dashboard::chart::Chart) |
//!
//! | helper | output |
//! | --- | --- |
//! | `{{time at}}` | `2026-11-25 04:32:10 UTC`; `–` for `null` |
//! | `{{ago at}}` | `3 minutes ago`; `–` for `null` |
//! | `{{plural n "delivery" "deliveries"}}` | `1 delivery`, `2 deliveries` |
//! | `{{asset "style.css"}}` | the URL of a file in `assets` |
//! | `{{#if (eq a b)}}` | handlebars' own: `eq`, `ne`, `gt`, `lt`, `and`, `or`, `not`, `len` |
//!
//! Every URL of this server begins with the base path, as in `href="{{@root.base}}/admin…"` or
//! `href="{{@root.base}}{{url}}"`, since a proxy may serve it below another path. Contexts hold URLs
//! without it.
//!
//! Inside `{{#each}}` and in partials the frame is `@root`: `@root.csrf`, `@root.user.role`. The classes
//! are listed at the top of `style.css`, the attributes of scripts at the top of `script.js`.
//! A fragment, for `data-preview-url` or `data-events-url`, is a template without the layout, rendered
//! with the same frame.

#[cfg(test)]
mod tests;

use handlebars::{Handlebars, RenderError, TemplateError};
use redflash_core::clock::Timestamp;
use serde::Serialize;

use crate::admin::ui::flash::FlashMessage;
use crate::admin::ui::helpers;

/// All templates by name. `partials/` and `layout` are parts, the others pages.
const TEMPLATES: &[(&str, &str)] = &[
    ("audit", include_str!("../templates/audit.hbs")),
    ("contact", include_str!("../templates/contact.hbs")),
    ("contact-new", include_str!("../templates/contact-new.hbs")),
    ("contacts", include_str!("../templates/contacts.hbs")),
    ("deliveries", include_str!("../templates/deliveries.hbs")),
    ("endpoint", include_str!("../templates/endpoint.hbs")),
    ("error", include_str!("../templates/error.hbs")),
    ("event", include_str!("../templates/event.hbs")),
    ("event-new", include_str!("../templates/event-new.hbs")),
    ("events", include_str!("../templates/events.hbs")),
    ("gateway", include_str!("../templates/gateway.hbs")),
    ("gateways", include_str!("../templates/gateways.hbs")),
    ("group", include_str!("../templates/group.hbs")),
    ("group-new", include_str!("../templates/group-new.hbs")),
    ("groups", include_str!("../templates/groups.hbs")),
    ("home", include_str!("../templates/home.hbs")),
    ("inbound", include_str!("../templates/inbound.hbs")),
    ("key", include_str!("../templates/key.hbs")),
    ("key-made", include_str!("../templates/key-made.hbs")),
    ("key-new", include_str!("../templates/key-new.hbs")),
    ("keys", include_str!("../templates/keys.hbs")),
    ("layout", include_str!("../templates/layout.hbs")),
    ("log", include_str!("../templates/log.hbs")),
    ("login", include_str!("../templates/login.hbs")),
    (
        "notification",
        include_str!("../templates/notification.hbs"),
    ),
    (
        "partials/account",
        include_str!("../templates/partials/account.hbs"),
    ),
    (
        "partials/argument-report",
        include_str!("../templates/partials/argument-report.hbs"),
    ),
    (
        "partials/arguments",
        include_str!("../templates/partials/arguments.hbs"),
    ),
    (
        "partials/badge",
        include_str!("../templates/partials/badge.hbs"),
    ),
    (
        "partials/chart",
        include_str!("../templates/partials/chart.hbs"),
    ),
    (
        "partials/checklist",
        include_str!("../templates/partials/checklist.hbs"),
    ),
    (
        "partials/confirm",
        include_str!("../templates/partials/confirm.hbs"),
    ),
    (
        "partials/csrf",
        include_str!("../templates/partials/csrf.hbs"),
    ),
    (
        "partials/deliveries",
        include_str!("../templates/partials/deliveries.hbs"),
    ),
    (
        "partials/described",
        include_str!("../templates/partials/described.hbs"),
    ),
    (
        "partials/empty",
        include_str!("../templates/partials/empty.hbs"),
    ),
    (
        "partials/endpoint",
        include_str!("../templates/partials/endpoint.hbs"),
    ),
    (
        "partials/event",
        include_str!("../templates/partials/event.hbs"),
    ),
    (
        "partials/field",
        include_str!("../templates/partials/field.hbs"),
    ),
    (
        "partials/flash",
        include_str!("../templates/partials/flash.hbs"),
    ),
    (
        "partials/health",
        include_str!("../templates/partials/health.hbs"),
    ),
    (
        "partials/history",
        include_str!("../templates/partials/history.hbs"),
    ),
    (
        "partials/mark",
        include_str!("../templates/partials/mark.hbs"),
    ),
    (
        "partials/menu",
        include_str!("../templates/partials/menu.hbs"),
    ),
    (
        "partials/message",
        include_str!("../templates/partials/message.hbs"),
    ),
    (
        "partials/notice",
        include_str!("../templates/partials/notice.hbs"),
    ),
    (
        "partials/page-links",
        include_str!("../templates/partials/page-links.hbs"),
    ),
    (
        "partials/pager",
        include_str!("../templates/partials/pager.hbs"),
    ),
    (
        "partials/permissions",
        include_str!("../templates/partials/permissions.hbs"),
    ),
    (
        "partials/plan",
        include_str!("../templates/partials/plan.hbs"),
    ),
    (
        "partials/preview",
        include_str!("../templates/partials/preview.hbs"),
    ),
    (
        "partials/references",
        include_str!("../templates/partials/references.hbs"),
    ),
    (
        "partials/samples",
        include_str!("../templates/partials/samples.hbs"),
    ),
    (
        "partials/skipped",
        include_str!("../templates/partials/skipped.hbs"),
    ),
    (
        "partials/state-counts",
        include_str!("../templates/partials/state-counts.hbs"),
    ),
    (
        "partials/switch",
        include_str!("../templates/partials/switch.hbs"),
    ),
    (
        "partials/timeline",
        include_str!("../templates/partials/timeline.hbs"),
    ),
    ("preview", include_str!("../templates/preview.hbs")),
    ("profile", include_str!("../templates/profile.hbs")),
    ("search", include_str!("../templates/search.hbs")),
    ("send", include_str!("../templates/send.hbs")),
    ("send-choose", include_str!("../templates/send-choose.hbs")),
    ("user", include_str!("../templates/user.hbs")),
    ("user-new", include_str!("../templates/user-new.hbs")),
    ("users", include_str!("../templates/users.hbs")),
];

/// The page that is shown if rendering fails.
const FALLBACK: &str = "<!DOCTYPE html><html lang=\"en\"><title>RedFlash</title>\
    <h1>This page could not be displayed</h1><p>See the server log for details.</p></html>";

/// The compiled templates.
pub(crate) struct Templates(Handlebars<'static>);

/// The context of every template; the page's own context is `page`.
#[derive(Serialize)]
pub(crate) struct Frame<'a, P> {
    /// Title of the browser window.
    pub(crate) title: &'a str,
    /// Current entry of the menu.
    pub(crate) nav: Option<Section>,
    /// The user who is logged in; there is no menu without one.
    pub(crate) user: Option<Person<'a>>,
    /// Token of the session's forms.
    pub(crate) csrf: &'a str,
    /// Notice after a redirect.
    pub(crate) flash: Option<FlashMessage>,
    /// Base path of the server, which every URL begins with.
    pub(crate) base: &'a str,
    /// Current time, for `{{ago}}`.
    pub(crate) now: Timestamp,
    /// Context of the page.
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

/// The user who is logged in.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Person<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: &'a str,
}

impl Templates {
    /// Compiles every template.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] if a template is invalid; the tests compile all of them.
    pub(crate) fn new() -> Result<Self, Box<TemplateError>> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.set_prevent_indent(true);
        helpers::register(&mut registry);
        for (name, source) in TEMPLATES {
            registry.register_template_string(name, source)?;
        }
        Ok(Self(registry))
    }

    /// Renders a page. If a field is missing, the error is logged and a fallback page is shown.
    pub(crate) fn render<P: Serialize>(&self, page: &str, frame: &Frame<'_, P>) -> String {
        self.fill(page, frame).unwrap_or_else(|error| {
            tracing::error!(page, %error, "failed to render a page");
            FALLBACK.to_owned()
        })
    }

    fn fill<P: Serialize>(&self, page: &str, frame: &Frame<'_, P>) -> Result<String, RenderError> {
        self.0.render(page, frame)
    }
}
