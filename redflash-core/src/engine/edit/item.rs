//! The entries of the directory that can be edited, and their differences.

use async_trait::async_trait;
use serde::Serialize;

use super::{EditError, check};
use crate::Engine;
use crate::model::{ApiKey, Contact, Event, Group, Role, Slug, Target, User};
use crate::store::{Directory, Entry, EntryRef, StoreError};

/// An entry of the directory that can be created, changed and removed: a contact, a group, an
/// event, an API key or a user.
#[async_trait]
pub trait DirectoryItem:
    Clone + PartialEq + Serialize + Into<Entry> + Send + Sync + Sized + 'static
{
    /// Returns the reference to the entry of this slug.
    fn named(slug: Slug) -> EntryRef;

    /// Finds the entry of this slug.
    async fn find<D: Directory + ?Sized>(
        directory: &D,
        slug: &Slug,
    ) -> Result<Option<Self>, StoreError>;

    /// Checks that it may be saved.
    ///
    /// * `old` - its state before.
    ///
    /// # Errors
    ///
    /// [`EditError::Invalid`] with each field that breaks a rule.
    fn check(&self, engine: &Engine, old: Option<&Self>) -> Result<(), EditError>;

    /// Takes over the ids that stay from its state before.
    fn keep_ids(&mut self, old: &Self) {
        let _ = old;
    }

    /// Returns true if the last entry of its kind must stay: an admin who can log in.
    fn is_guardian(&self) -> bool {
        false
    }
}

macro_rules! entry {
    ($kind:ident) => {
        impl From<$kind> for Entry {
            fn from(item: $kind) -> Self {
                Self::$kind(item)
            }
        }
    };
}

entry!(Contact);
entry!(Group);
entry!(Event);
entry!(ApiKey);
entry!(User);

#[async_trait]
impl DirectoryItem for Contact {
    fn named(slug: Slug) -> EntryRef {
        Target::Contact(slug).into()
    }

    async fn find<D: Directory + ?Sized>(
        directory: &D,
        slug: &Slug,
    ) -> Result<Option<Self>, StoreError> {
        directory.contact(slug).await
    }

    fn check(&self, engine: &Engine, old: Option<&Self>) -> Result<(), EditError> {
        check::contact(engine, self, old)
    }

    fn keep_ids(&mut self, old: &Self) {
        self.keep_endpoint_ids(old);
    }
}

#[async_trait]
impl DirectoryItem for Group {
    fn named(slug: Slug) -> EntryRef {
        Target::Group(slug).into()
    }

    async fn find<D: Directory + ?Sized>(
        directory: &D,
        slug: &Slug,
    ) -> Result<Option<Self>, StoreError> {
        directory.group(slug).await
    }

    fn check(&self, _: &Engine, _: Option<&Self>) -> Result<(), EditError> {
        check::unique("contacts", &self.contacts)
    }
}

#[async_trait]
impl DirectoryItem for Event {
    fn named(slug: Slug) -> EntryRef {
        Target::Event(slug).into()
    }

    async fn find<D: Directory + ?Sized>(
        directory: &D,
        slug: &Slug,
    ) -> Result<Option<Self>, StoreError> {
        directory.event(slug).await
    }

    fn check(&self, engine: &Engine, old: Option<&Self>) -> Result<(), EditError> {
        check::event(engine, self, old)
    }
}

#[async_trait]
impl DirectoryItem for ApiKey {
    fn named(slug: Slug) -> EntryRef {
        EntryRef::ApiKey(slug)
    }

    async fn find<D: Directory + ?Sized>(
        directory: &D,
        slug: &Slug,
    ) -> Result<Option<Self>, StoreError> {
        directory.api_key(slug).await
    }

    fn check(&self, _: &Engine, _: Option<&Self>) -> Result<(), EditError> {
        Ok(())
    }
}

#[async_trait]
impl DirectoryItem for User {
    fn named(slug: Slug) -> EntryRef {
        EntryRef::User(slug)
    }

    async fn find<D: Directory + ?Sized>(
        directory: &D,
        slug: &Slug,
    ) -> Result<Option<Self>, StoreError> {
        directory.user(slug).await
    }

    fn check(&self, _: &Engine, _: Option<&Self>) -> Result<(), EditError> {
        Ok(())
    }

    fn is_guardian(&self) -> bool {
        self.enabled && self.role == Role::Admin
    }
}
