//! `/admin/audit`: who changed what, and when.

use std::num::NonZeroU32;

use axum::http::Method;
use axum::response::Response;
use redflash_core::store::AuditFilter;
use redflash_core::{Action, Actor, AuditEntry, AuditEntryId, Timestamp};
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::ui::field::Field;
use crate::admin::ui::form::Form;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::pagination::PageLinks;
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::route::{Auth, Permission, Route};

/// How many a page has.
const LENGTH: u32 = 50;
/// One more, which says that there are older ones.
const ASKED: NonZeroU32 = NonZeroU32::new(LENGTH + 1).expect("not zero");

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![Route::new(Method::GET, urls::AUDIT, view, page)]
}

/// Which entries a query asks for.
struct Wanted<'a> {
    subject: Option<&'a str>,
    actor: Option<Actor>,
    before: Option<AuditEntryId>,
}

#[derive(Serialize)]
struct Page {
    subject: Field,
    actor: Field,
    /// Whether not everything is shown.
    is_filtered: bool,
    rows: Vec<Row>,
    links: PageLinks,
    empty: Empty,
}

#[derive(Serialize)]
struct Row {
    at: Timestamp,
    by: Reference,
    action: &'static str,
    subject: Reference,
    detail: String,
}

/// Something that changed, or was changed.
#[derive(Serialize)]
struct Reference {
    label: String,
    /// Its page, where it has one that the reader may see.
    url: Option<String>,
    /// The other entries of it.
    entries: String,
}

async fn page(context: PageContext) -> Result<Response, PageError> {
    let wanted = Wanted::of(&context.query);
    let filter = AuditFilter {
        subject: wanted.subject.map(str::to_owned),
        by: wanted.actor.clone(),
        before: wanted.before,
        limit: ASKED,
    };
    let mut entries = context.app.engine.store().audit_entries(&filter).await?;
    let is_more = entries.len() > LENGTH as usize;
    entries.truncate(LENGTH as usize);
    let older = entries.last().filter(|_| is_more);
    let page = Page {
        subject: Field::text("subject", "What was changed")
            .value(wanted.subject.unwrap_or_default()),
        actor: Field::text("actor", "Who changed it").value(wanted.actor_text()),
        is_filtered: wanted.subject.is_some() || wanted.actor.is_some(),
        links: PageLinks {
            previous: wanted.before.map(|_| wanted.url(None)),
            next: older.map(|last| wanted.url(Some(last.id))),
        },
        rows: entries.iter().map(|entry| row(&context, entry)).collect(),
        empty: wanted.empty(),
    };
    Ok(context.page("audit", Section::Audit, "Audit", page))
}

fn row(context: &PageContext, entry: &AuditEntry) -> Row {
    Row {
        at: entry.at,
        by: named(context, entry.by.to_string(), "actor"),
        action: word(entry.action),
        subject: named(context, entry.subject.clone(), "subject"),
        detail: entry.detail.clone(),
    }
}

fn named(context: &PageContext, label: String, field: &str) -> Reference {
    Reference {
        url: page_of(&label, context.is_admin()),
        entries: url(&[(field, &label)]),
        label,
    }
}

/// The page of something that the audit log names.
fn page_of(named: &str, is_admin: bool) -> Option<String> {
    let (kind, name) = named.split_once('/')?;
    let place = match kind {
        "contact" => "contacts",
        "group" => "groups",
        "event" => "events",
        "gateway" => "gateways",
        "notification" => "log",
        "key" if is_admin => "keys",
        "user" if is_admin => "users",
        _ => return None,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_plain = !name.is_empty() && name.bytes().all(is_plain);
    is_plain.then(|| format!("/admin/{place}/{name}"))
}

const fn word(action: Action) -> &'static str {
    match action {
        Action::Added => "added",
        Action::Changed => "changed",
        Action::Removed => "removed",
        Action::SwitchedOn => "switched on",
        Action::SwitchedOff => "switched off",
        Action::PasswordSet => "set password",
        Action::LoggedIn => "logged in",
        Action::Raised => "raised",
        Action::Resent => "sent again",
        Action::Tested => "tested",
    }
}

impl<'a> Wanted<'a> {
    /// What cannot be meant is ignored.
    fn of(query: &'a Form) -> Self {
        let actor = query.given("actor").map(|text| match text.parse() {
            Ok(actor) => actor,
            Err(_) => Actor::User(text.to_owned()),
        });
        Self {
            subject: query.given("subject"),
            actor,
            before: query.get("before").parse().ok(),
        }
    }

    fn actor_text(&self) -> String {
        self.actor
            .as_ref()
            .map_or_else(String::new, Actor::to_string)
    }

    fn url(&self, before: Option<AuditEntryId>) -> String {
        let (actor, before) = (self.actor_text(), before.map(|id| id.to_string()));
        url(&[
            ("subject", self.subject.unwrap_or_default()),
            ("actor", &actor),
            ("before", before.as_deref().unwrap_or_default()),
        ])
    }

    fn empty(&self) -> Empty {
        let (title, text) = match (self.subject, &self.actor, self.before) {
            (None, None, None) => (
                "Nothing was changed yet",
                "Whoever entries something stands here.",
            ),
            (None, None, Some(_)) => ("Nothing is older", "This is where the audit log begins."),
            _ => (
                "Nothing matches",
                "Names are written whole, as contact/ann or user/bob.",
            ),
        };
        let all = Link {
            url: urls::AUDIT.into(),
            label: "Show all".into(),
        };
        Empty {
            title: title.into(),
            text: text.into(),
            action: Some(all).filter(|_| title.starts_with("Nothing matches")),
        }
    }
}

/// The log with these filters, as far as they are given.
fn url(filters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(filters.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => urls::AUDIT.to_owned(),
        query => format!("{}?{query}", urls::AUDIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_leads_to_its_page() {
        for (named, page) in [
            ("contact/ann", Some("/admin/contacts/ann")),
            ("notification/01", Some("/admin/log/01")),
            ("key/app", Some("/admin/keys/app")),
            ("operator/root", None),
            ("contact/../../x", None),
            ("contact/", None),
            ("everything", None),
        ] {
            assert_eq!(page_of(named, true).as_deref(), page, "{named}");
        }
        assert_eq!(page_of("user/ann", false), None);
    }
}
