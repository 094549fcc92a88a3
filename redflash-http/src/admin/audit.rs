//! `/admin/audit`: the audit log, newest first.

use std::num::NonZeroU32;

use axum::http::Method;
use axum::response::Response;
use redflash_core::clock::Timestamp;
use redflash_core::model::{Action, Actor, AuditEntry, AuditEntryId};
use redflash_core::store::AuditFilter;
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

/// Number of entries on a page.
const PAGE_SIZE: u32 = 50;
/// One more, to know whether there are older entries.
const LIMIT: NonZeroU32 = NonZeroU32::new(PAGE_SIZE + 1).expect("not zero");

pub(super) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![Route::new(Method::GET, urls::AUDIT, view, page)]
}

/// The filters of a query.
struct AuditQuery<'a> {
    subject: Option<&'a str>,
    actor: Option<Actor>,
    before: Option<AuditEntryId>,
}

#[derive(Serialize)]
struct Page {
    subject: Field,
    actor: Field,
    /// True if a filter is set.
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

/// The actor or the subject of an entry.
#[derive(Serialize)]
struct Reference {
    label: String,
    /// Its page, if there is one that the visitor may see.
    url: Option<String>,
    /// The URL of its entries in the audit log.
    entries: String,
}

async fn page(context: PageContext) -> Result<Response, PageError> {
    let query = AuditQuery::of(&context.query);
    let filter = AuditFilter {
        subject: query.subject.map(str::to_owned),
        by: query.actor.clone(),
        before: query.before,
        limit: LIMIT,
    };
    let mut entries = context.app.engine.store().audit_entries(&filter).await?;
    let is_more = entries.len() > PAGE_SIZE as usize;
    entries.truncate(PAGE_SIZE as usize);
    let older = entries.last().filter(|_| is_more);
    let page = Page {
        subject: Field::text("subject", "Subject").value(query.subject.unwrap_or_default()),
        actor: Field::text("actor", "Actor").value(query.actor_text()),
        is_filtered: query.subject.is_some() || query.actor.is_some(),
        links: PageLinks {
            previous: query.before.map(|_| query.url(None)),
            next: older.map(|last| query.url(Some(last.id))),
        },
        rows: entries.iter().map(|entry| row(&context, entry)).collect(),
        empty: query.empty(),
    };
    Ok(context.page("audit", Section::Audit, "Audit log", page))
}

fn row(context: &PageContext, entry: &AuditEntry) -> Row {
    Row {
        at: entry.at,
        by: reference(context, entry.by.to_string(), "actor"),
        action: word(entry.action),
        subject: reference(context, entry.subject.clone(), "subject"),
        detail: entry.detail.clone(),
    }
}

fn reference(context: &PageContext, label: String, field: &str) -> Reference {
    Reference {
        url: page_of(&label, context.is_admin()),
        entries: url(&[(field, &label)]),
        label,
    }
}

/// Returns the page of an actor or a subject.
fn page_of(reference: &str, is_admin: bool) -> Option<String> {
    let (kind, name) = reference.split_once('/')?;
    let folder = match kind {
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
    is_plain.then(|| format!("/admin/{folder}/{name}"))
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
        _ => action.as_str(),
    }
}

impl<'a> AuditQuery<'a> {
    /// Reads the filters; invalid ones are ignored.
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
            url: urls::AUDIT.into(),
            label: "Clear filters".into(),
        };
        Empty {
            title: title.into(),
            text: text.into(),
            action: Some(all).filter(|_| title.starts_with("No results")),
        }
    }
}

/// Returns the URL of the log with the filters that are not empty.
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
    fn links_actors_and_subjects_to_their_pages() {
        for (reference, page) in [
            ("contact/ann", Some("/admin/contacts/ann")),
            ("notification/01", Some("/admin/log/01")),
            ("key/app", Some("/admin/keys/app")),
            ("operator/root", None),
            ("contact/../../x", None),
            ("contact/", None),
            ("everything", None),
        ] {
            assert_eq!(page_of(reference, true).as_deref(), page, "{reference}");
        }
        assert_eq!(page_of("user/ann", false), None);
    }
}
