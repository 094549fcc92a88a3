//! Contacts, groups and events that are disabled.

use redflash_core::Engine;
use redflash_core::store::StoreError;
use serde::Serialize;

use crate::admin::ui::partials::Link;
use crate::admin::urls;

/// Maximum number of items listed of one kind.
const MAX_ITEMS: usize = 6;

/// The disabled items of one kind.
#[derive(Serialize)]
pub(crate) struct DisabledItems {
    /// The number of items, such as `2 contacts`.
    title: String,
    items: Vec<Link>,
    /// Number of items that are not listed.
    more: usize,
}

/// Returns all disabled items.
pub(crate) async fn all(engine: &Engine) -> Result<Vec<DisabledItems>, StoreError> {
    let store = engine.store();
    let contacts = store.contacts().await?;
    let contacts = contacts.iter().filter(|contact| !contact.enabled);
    let contacts = contacts.map(|one| (urls::contact(&one.slug), one.name.to_string()));
    let groups = store.groups().await?;
    let groups = groups.iter().filter(|group| !group.enabled);
    let groups = groups.map(|one| (urls::group(&one.slug), one.name.to_string()));
    let events = store.events().await?;
    let events = events.iter().filter(|event| !event.enabled);
    let events = events.map(|one| (urls::event(&one.slug), one.name.to_string()));
    let kinds = [
        DisabledItems::new("contact", contacts),
        DisabledItems::new("group", groups),
        DisabledItems::new("event", events),
    ];
    Ok(kinds.into_iter().flatten().collect())
}

impl DisabledItems {
    fn new(kind: &str, all: impl Iterator<Item = (String, String)>) -> Option<Self> {
        let mut items: Vec<_> = all.map(|(url, label)| Link { url, label }).collect();
        let count = items.len();
        items.truncate(MAX_ITEMS);
        let s = if count == 1 { "" } else { "s" };
        (count > 0).then(|| Self {
            title: format!("{count} {kind}{s}"),
            more: count - items.len(),
            items,
        })
    }
}
