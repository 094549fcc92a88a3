//! The directory: the contacts, groups, events, keys and users of an installation.

use std::fmt;

use async_trait::async_trait;
use serde::Serialize;

use super::StoreError;
use crate::model::{
    Address, ApiKey, AuditEntry, ChannelKind, Contact, Event, Group, KeyHash, Slug, Target,
    TargetView, User,
};

/// Selects whether a save may create or update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// Create: [`StoreError::Conflict`] if the slug is taken.
    Create,
    /// Update: [`StoreError::Missing`] if the slug does not exist.
    Update,
    /// Create or update.
    Upsert,
}

/// An entry of the directory. Serialized as its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// A contact with all of its endpoints.
    Contact(Contact),
    /// A group.
    Group(Group),
    /// An event.
    Event(Event),
    /// An API key.
    ApiKey(ApiKey),
    /// A user.
    User(User),
}

/// A reference to an entry. As text `contact/ann`, `group/on-call`, `event/disk-full`, `key/app`,
/// `user/ann`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryRef {
    /// A contact, a group or an event.
    Target(Target),
    /// An API key.
    ApiKey(Slug),
    /// A user.
    User(Slug),
}

/// One step of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Saves an entry.
    Save(Entry, Save),
    /// Removes an entry, also from groups and events: [`StoreError::Missing`] if it does not exist.
    /// Its deliveries stay in the log.
    Remove(EntryRef),
}

/// An atomic change of the directory.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'a> {
    /// Steps, in order.
    pub steps: &'a [Step],
    /// The [version](Directory::version) that it was made for: with another, nothing is done.
    /// `None` for any version.
    pub version: Option<u64>,
    /// Entries for the audit log.
    pub changes: &'a [AuditEntry],
}

impl Entry {
    /// Returns the reference to the entry.
    pub fn named(&self) -> EntryRef {
        match self {
            Self::Contact(contact) => EntryRef::Target(Target::Contact(contact.slug.clone())),
            Self::Group(group) => EntryRef::Target(Target::Group(group.slug.clone())),
            Self::Event(event) => EntryRef::Target(Target::Event(event.slug.clone())),
            Self::ApiKey(key) => EntryRef::ApiKey(key.slug.clone()),
            Self::User(user) => EntryRef::User(user.slug.clone()),
        }
    }
}

impl From<Target> for EntryRef {
    fn from(target: Target) -> Self {
        Self::Target(target)
    }
}

impl fmt::Display for EntryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => target.fmt(f),
            Self::ApiKey(slug) => write!(f, "key/{slug}"),
            Self::User(slug) => write!(f, "user/{slug}"),
        }
    }
}

/// Contacts, groups, events, API keys and users.
///
/// Look-ups return `None` for what does not exist. Lists are complete and ordered by slug: the size
/// of a directory depends on the number of people, not on the history.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Returns a number that grows with every change to contacts, groups, events, keys or users,
    /// also by other processes: two reads at one version are equal. Must be cheap, since it is read
    /// before every hand-over.
    async fn version(&self) -> Result<u64, StoreError>;

    /// Returns the version as it was at most a second ago, for a store that learns of changes by
    /// itself and would have to ask another machine for certainty.
    async fn recent_version(&self) -> Result<u64, StoreError> {
        self.version().await
    }

    /// Returns a consistent view of a target, on or off.
    async fn view(&self, target: &Target) -> Result<Option<TargetView>, StoreError>;

    /// Returns the contact with this slug.
    async fn contact(&self, slug: &Slug) -> Result<Option<Contact>, StoreError>;

    /// Returns the group with this slug.
    async fn group(&self, slug: &Slug) -> Result<Option<Group>, StoreError>;

    /// Returns the event with this slug.
    async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError>;

    /// Returns the key with this slug.
    async fn api_key(&self, slug: &Slug) -> Result<Option<ApiKey>, StoreError>;

    /// Returns the key whose secret has this hash, on or off.
    async fn api_key_by_hash(&self, hash: &KeyHash) -> Result<Option<ApiKey>, StoreError>;

    /// Returns the user with this slug.
    async fn user(&self, slug: &Slug) -> Result<Option<User>, StoreError>;

    /// Returns all contacts.
    async fn contacts(&self) -> Result<Vec<Contact>, StoreError>;

    /// Returns all groups.
    async fn groups(&self) -> Result<Vec<Group>, StoreError>;

    /// Returns all events.
    async fn events(&self) -> Result<Vec<Event>, StoreError>;

    /// Returns all keys.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Returns all users.
    async fn users(&self) -> Result<Vec<User>, StoreError>;

    /// Changes the directory.
    ///
    /// A saved contact has exactly the endpoints of the entry, under their ids. A group's contacts
    /// and an event's contacts and groups must exist, in the store or by an earlier step.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] and [`StoreError::Missing`] by [`Save`] and [`Step`]; `Conflict`
    /// also for a key whose secret another key has; [`StoreError::Dangling`] for an unknown
    /// reference; [`StoreError::Outdated`] for another [version](Edit::version).
    async fn edit(&self, edit: &Edit<'_>) -> Result<(), StoreError>;

    /// Saves entries in their order, all or none, without audit entries and without a version
    /// check: for tests and tools. Programs use [`Engine`](crate::Engine). An endpoint with an
    /// unchanged channel and address keeps its id.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    #[doc(hidden)]
    async fn save(&self, entries: &[Entry], save: Save) -> Result<(), StoreError> {
        let mut steps = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut entry = entry.clone();
            if let Entry::Contact(new) = &mut entry
                && let Some(old) = self.contact(&new.slug).await?
            {
                new.keep_endpoint_ids(&old);
            }
            steps.push(Step::Save(entry, save));
        }
        let edit = Edit {
            steps: &steps,
            version: None,
            changes: &[],
        };
        self.edit(&edit).await
    }

    /// Removes an entry without an audit entry; returns false if it does not exist. For tests and
    /// tools, like [`save`](Self::save).
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    #[doc(hidden)]
    async fn remove(&self, what: &EntryRef) -> Result<bool, StoreError> {
        let edit = Edit {
            steps: &[Step::Remove(what.clone())],
            version: None,
            changes: &[],
        };
        match self.edit(&edit).await {
            Ok(()) => Ok(true),
            Err(StoreError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the contacts with an endpoint of this address, on or off.
    async fn contacts_at(
        &self,
        channel: &ChannelKind,
        address: &Address,
    ) -> Result<Vec<Contact>, StoreError>;

    /// Switches the endpoints of an address off, or on again if this method switched them off.
    ///
    /// * `reason` - recorded reason to switch them off; `None` switches on endpoints with such a
    ///   reason.
    ///
    /// Returns the contacts whose endpoints changed.
    async fn set_opt_out(
        &self,
        channel: &ChannelKind,
        address: &Address,
        reason: Option<&str>,
    ) -> Result<Vec<Slug>, StoreError>;
}
