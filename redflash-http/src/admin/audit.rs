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
use crate::admin::ui::partials::{Empty, Link, Pager};
use crate::admin::ui::templates::Section;
use crate::route::{Auth, Permission, Route};

const PATH: &str = "/admin/audit";
/// How many a page has.
const LENGTH: u32 = 50;
/// One more, which says that there are older ones.
const ASKED: NonZeroU32 = NonZeroU32::new(LENGTH + 1).expect("not zero");

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![Route::new(Method::GET, PATH, view, page)]
}

/// Which changes a query asks for.
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
    pager: Pager,
    empty: Empty,
}

#[derive(Serialize)]
struct Row {
    at: Timestamp,
    by: Named,
    action: &'static str,
    subject: Named,
    detail: String,
}

/// Something that changed, or was changed.
#[derive(Serialize)]
struct Named {
    label: String,
    /// Its page, where it has one that the reader may see.
    url: Option<String>,
    /// The other changes of it.
    changes: String,
}

async fn page(desk: PageContext) -> Result<Response, PageError> {
    let wanted = Wanted::of(&desk.query);
    let filter = AuditFilter {
        subject: wanted.subject.map(str::to_owned),
        by: wanted.actor.clone(),
        before: wanted.before,
        limit: ASKED,
    };
    let mut changes = desk.app.engine.store().audit_entries(&filter).await?;
    let is_more = changes.len() > LENGTH as usize;
    changes.truncate(LENGTH as usize);
    let older = changes.last().filter(|_| is_more);
    let page = Page {
        subject: Field::text("subject", "Subject").value(wanted.subject.unwrap_or_default()),
        actor: Field::text("actor", "Actor").value(wanted.actor_text()),
        is_filtered: wanted.subject.is_some() || wanted.actor.is_some(),
        pager: Pager {
            newer: wanted.before.map(|_| wanted.url(None)),
            older: older.map(|last| wanted.url(Some(last.id))),
        },
        rows: changes.iter().map(|change| row(&desk, change)).collect(),
        empty: wanted.empty(),
    };
    Ok(desk.page("audit", Section::Audit, "Audit log", page))
}

fn row(desk: &PageContext, change: &AuditEntry) -> Row {
    Row {
        at: change.at,
        by: named(desk, change.by.to_string(), "actor"),
        action: word(change.action),
        subject: named(desk, change.subject.clone(), "subject"),
        detail: change.detail.clone(),
    }
}

fn named(desk: &PageContext, label: String, field: &str) -> Named {
    Named {
        url: page_of(&label, desk.is_admin()),
        changes: url(&[(field, &label)]),
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
        Action::Resent => "resent",
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
            (None, None, None) => ("No changes yet", "Changes appear here."),
            (None, None, Some(_)) => ("No older entries", "The audit log begins here."),
            _ => (
                "No results",
                "Enter full names, such as contact/ann or user/bob.",
            ),
        };
        let all = Link {
            url: PATH.into(),
            label: "Clear filters".into(),
        };
        Empty {
            title: title.into(),
            text: text.into(),
            action: Some(all).filter(|_| title.starts_with("No results")),
        }
    }
}

/// The log with these filters, as far as they are given.
fn url(filters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(filters.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => PATH.to_owned(),
        query => format!("{PATH}?{query}"),
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
