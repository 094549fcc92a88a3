//! Who can be told, and who may raise.

use async_trait::async_trait;

use super::StoreError;
use crate::{Address, ApiKey, ChannelKind, Contact, Event, Group, KeyHash, Slug, Target, View};

/// Whether saving makes something new or changes what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// Make it: [`StoreError::Conflict`] when the slug is taken.
    Create,
    /// Change it: [`StoreError::Missing`] when there is none of that slug.
    Update,
    /// Make it or change it.
    Upsert,
}

/// Something of the directory, to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A contact with all of its endpoints.
    Contact(Contact),
    /// A group.
    Group(Group),
    /// An event.
    Event(Event),
    /// An API key.
    ApiKey(ApiKey),
}

/// Contacts, groups, events and API keys.
///
/// Look-ups return `None` for what does not exist. Lists are whole and in the order of slugs: a
/// directory is as large as the people in it, not as large as the history.
#[async_trait]
pub trait Directory: Send + Sync {
    /// A number that grows with every change to contacts, groups, events or keys, whoever made it:
    /// two reads at one version are equal. Cheap, since it is asked before every hand-over.
    async fn version(&self) -> Result<u64, StoreError>;

    /// The version as it was at most a second ago, from a store that learns of changes by itself and
    /// would have to ask another machine for certainty.
    async fn recent_version(&self) -> Result<u64, StoreError> {
        self.version().await
    }

    /// What the directory says about a target, on or off, read at one moment.
    async fn view(&self, target: &Target) -> Result<Option<View>, StoreError>;

    /// The contact with this slug.
    async fn contact(&self, slug: &Slug) -> Result<Option<Contact>, StoreError>;

    /// The group with this slug.
    async fn group(&self, slug: &Slug) -> Result<Option<Group>, StoreError>;

    /// The event with this slug.
    async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError>;

    /// The key with this slug.
    async fn api_key(&self, slug: &Slug) -> Result<Option<ApiKey>, StoreError>;

    /// The key whose secret has this hash, on or off.
    async fn api_key_by_hash(&self, hash: &KeyHash) -> Result<Option<ApiKey>, StoreError>;

    /// Every contact.
    async fn contacts(&self) -> Result<Vec<Contact>, StoreError>;

    /// Every group.
    async fn groups(&self) -> Result<Vec<Group>, StoreError>;

    /// Every event.
    async fn events(&self) -> Result<Vec<Event>, StoreError>;

    /// Every key.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Saves entries in their order, all or none.
    ///
    /// A saved contact has exactly the endpoints of the entry. A group's contacts and an event's
    /// contacts and groups must exist, in the store or earlier among the entries.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] and [`StoreError::Missing`] by [`Save`]; `Conflict` also for a key
    /// whose secret another key has; [`StoreError::Dangling`] for what names something unknown.
    async fn save(&self, entries: &[Entry], save: Save) -> Result<(), StoreError>;

    /// The contacts with an endpoint of this address, on or off.
    async fn contacts_at(
        &self,
        channel: &ChannelKind,
        address: &Address,
    ) -> Result<Vec<Contact>, StoreError>;

    /// Switches the endpoints of an address off, or those on again that were switched off by this.
    ///
    /// * `reason` - why they are off; `None` switches on what has such a reason.
    ///
    /// Returns the contacts of those that it changed.
    async fn opt(
        &self,
        channel: &ChannelKind,
        address: &Address,
        reason: Option<&str>,
    ) -> Result<Vec<Slug>, StoreError>;

    /// Removes what the target names, and its place in groups and events; `false` when there is
    /// none. What was sent stays in the log.
    async fn remove(&self, target: &Target) -> Result<bool, StoreError>;

    /// Removes a key; `false` when there is none.
    async fn remove_api_key(&self, slug: &Slug) -> Result<bool, StoreError>;
}
