//! The targets of an alert, as a list to choose from.

use redflash_core::model::{Contact, Event, Group, Name, Target};
use redflash_core::store::StoreError;
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::ui::choices;
use crate::admin::ui::page::PageContext;
use crate::admin::urls;

/// Maximum number of targets of each kind.
const MAX_SHOWN: usize = 20;

/// The targets of one kind.
#[derive(Serialize)]
pub(crate) struct Kind {
    title: &'static str,
    rows: Vec<Row>,
    /// Number of matches that are not shown.
    more: usize,
}

#[derive(Serialize)]
struct Row {
    url: String,
    name: String,
    slug: String,
    detail: String,
    is_off: bool,
}

/// Returns the targets that have a text in their name, slug or description.
pub(crate) async fn matching(context: &PageContext, text: &str) -> Result<Vec<Kind>, StoreError> {
    let store = context.app.engine.store();
    let (events, groups) = (store.events().await?, store.groups().await?);
    let contacts = store.contacts().await?;
    let kinds = [
        kind("Events", text, events.iter().map(event)),
        kind("Groups", text, groups.iter().map(group)),
        kind("Contacts", text, contacts.iter().map(contact)),
    ];
    Ok(kinds
        .into_iter()
        .filter(|kind| !kind.rows.is_empty())
        .collect())
}

fn kind(title: &'static str, text: &str, all: impl Iterator<Item = Row>) -> Kind {
    let text = text.to_lowercase();
    let matches = |row: &Row| {
        let texts = [&row.name, &row.slug, &row.detail];
        texts
            .iter()
            .any(|known| known.to_lowercase().contains(&text))
    };
    let mut rows: Vec<_> = all.filter(matches).collect();
    let more = rows.len().saturating_sub(MAX_SHOWN);
    rows.truncate(MAX_SHOWN);
    Kind { title, rows, more }
}

fn event(event: &Event) -> Row {
    let target = Target::Event(event.slug.clone());
    row(
        &target,
        &event.name,
        event.enabled,
        event.description.clone(),
    )
}

fn group(group: &Group) -> Row {
    let detail = match group.contacts.len() {
        1 => "1 contact".to_owned(),
        count => format!("{count} contacts"),
    };
    row(
        &Target::Group(group.slug.clone()),
        &group.name,
        group.enabled,
        detail,
    )
}

fn contact(contact: &Contact) -> Row {
    let target = Target::Contact(contact.slug.clone());
    let reach = if contact.enabled {
        choices::reach(contact)
    } else {
        String::new()
    };
    row(&target, &contact.name, contact.enabled, reach)
}

fn row(target: &Target, name: &Name, enabled: bool, detail: String) -> Row {
    Row {
        url: url(target),
        name: name.to_string(),
        slug: target.slug().to_string(),
        detail,
        is_off: !enabled,
    }
}

/// Returns the URL of the form that sends to a target.
pub(crate) fn url(target: &Target) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("target", &target.to_string());
    format!("{}?{}", urls::SEND, query.finish())
}

/// Returns the name of a target, and the event if it is one; `None` if it does not exist.
pub(crate) async fn find(
    context: &PageContext,
    target: &Target,
) -> Result<Option<(Name, Option<Event>)>, StoreError> {
    let store = context.app.engine.store();
    Ok(match target {
        Target::Contact(slug) => store.contact(slug).await?.map(|one| (one.name, None)),
        Target::Group(slug) => store.group(slug).await?.map(|one| (one.name, None)),
        Target::Event(slug) => store
            .event(slug)
            .await?
            .map(|one| (one.name.clone(), Some(one))),
    })
}
