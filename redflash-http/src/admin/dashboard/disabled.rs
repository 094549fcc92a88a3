//! What is switched off.

use redflash_core::{Engine, StoreError};
use serde::Serialize;

use crate::admin::ui::partials::Link;

/// How many of a kind are named.
const NAMED: usize = 6;

/// What is switched off of one kind.
#[derive(Serialize)]
pub(crate) struct Off {
    /// `2 contacts`.
    title: String,
    named: Vec<Link>,
    /// How many more there are.
    more: usize,
}

/// Everything that is switched off.
pub(crate) async fn all(engine: &Engine) -> Result<Vec<Off>, StoreError> {
    let store = engine.store();
    let contacts = store.contacts().await?;
    let contacts = contacts.iter().filter(|contact| !contact.enabled);
    let contacts = contacts.map(|one| {
        (
            crate::admin::contact::list::url(&one.slug),
            one.name.to_string(),
        )
    });
    let groups = store.groups().await?;
    let groups = groups.iter().filter(|group| !group.enabled);
    let groups = groups.map(|one| (format!("/admin/groups/{}", one.slug), one.name.to_string()));
    let events = store.events().await?;
    let events = events.iter().filter(|event| !event.enabled);
    let events = events.map(|one| (format!("/admin/events/{}", one.slug), one.name.to_string()));
    let kinds = [
        Off::new("contact", contacts),
        Off::new("group", groups),
        Off::new("event", events),
    ];
    Ok(kinds.into_iter().flatten().collect())
}

impl Off {
    fn new(kind: &str, all: impl Iterator<Item = (String, String)>) -> Option<Self> {
        let mut named: Vec<_> = all.map(|(url, label)| Link { url, label }).collect();
        let count = named.len();
        named.truncate(NAMED);
        let s = if count == 1 { "" } else { "s" };
        (count > 0).then(|| Self {
            title: format!("{count} {kind}{s}"),
            more: count - named.len(),
            named,
        })
    }
}
