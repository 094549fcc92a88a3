//! Who can be told, and who may raise.

use std::fmt;

use async_trait::async_trait;
use serde::Serialize;

use super::StoreError;
use crate::{
    Address, ApiKey, AuditEntry, ChannelKind, Contact, Event, Group, KeyHash, Slug, Target,
    TargetView, User,
};

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

/// Something of the directory, to be saved. As JSON it is what it holds.
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

/// Names something of the directory. As text `contact/ann`, `group/on-call`, `event/disk-full`,
/// `key/app`, `user/ann`.
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
    /// Removes something, and its place in groups and events: [`StoreError::Missing`] when it is not
    /// there. What was sent stays in the log.
    Remove(EntryRef),
}

/// A change of the directory, all of it or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'a> {
    /// What is done, in this order.
    pub steps: &'a [Step],
    /// The [version](Directory::version) that it was made for: with another, nothing is done. `None`
    /// to do it whatever the directory says now.
    pub version: Option<u64>,
    /// What the audit log says of it.
    pub changes: &'a [AuditEntry],
}

impl Entry {
    /// Its name.
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
/// Look-ups return `None` for what does not exist. Lists are whole and in the order of slugs: a
/// directory is as large as the people in it, not as large as the history.
#[async_trait]
pub trait Directory: Send + Sync {
    /// A number that grows with every change to contacts, groups, events, keys or users, whoever made
    /// it:
    /// two reads at one version are equal. Cheap, since it is asked before every hand-over.
    async fn version(&self) -> Result<u64, StoreError>;

    /// The version as it was at most a second ago, from a store that learns of changes by itself and
    /// would have to ask another machine for certainty.
    async fn recent_version(&self) -> Result<u64, StoreError> {
        self.version().await
    }

    /// What the directory says about a target, on or off, read at one moment.
    async fn view(&self, target: &Target) -> Result<Option<TargetView>, StoreError>;

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

    /// The user with this slug.
    async fn user(&self, slug: &Slug) -> Result<Option<User>, StoreError>;

    /// Every contact.
    async fn contacts(&self) -> Result<Vec<Contact>, StoreError>;

    /// Every group.
    async fn groups(&self) -> Result<Vec<Group>, StoreError>;

    /// Every event.
    async fn events(&self) -> Result<Vec<Event>, StoreError>;

    /// Every key.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Every user.
    async fn users(&self) -> Result<Vec<User>, StoreError>;

    /// Changes the directory.
    ///
    /// A saved contact has exactly the endpoints of the entry, under their ids. A group's contacts
    /// and an event's contacts and groups must exist, in the store or by an earlier step.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] and [`StoreError::Missing`] by [`Save`] and [`Step`]; `Conflict` also
    /// for a key whose secret another key has; [`StoreError::Dangling`] for what names something
    /// unknown; [`StoreError::Outdated`] for another [version](Edit::version).
    async fn edit(&self, edit: &Edit<'_>) -> Result<(), StoreError>;

    /// Saves entries in their order, all or none, without a word in the audit log and over whatever
    /// anybody has changed: for tests and tools. Programs use [`Engine`](crate::Engine). An endpoint of
    /// the same channel and address as before keeps its id.
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

    /// Removes something without a word in the audit log; `false` when it is not there. For tests and
    /// tools, as [`save`](Self::save) is.
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
            Err(fault) => Err(fault),
        }
    }

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
}
