//! Changes of the directory: checked, recorded with who made them, and never over somebody else's.

mod check;
mod describe;
mod ensure;
mod item;
#[cfg(test)]
mod tests;
mod warning;

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use item::DirectoryItem;

use super::Engine;
use crate::store::{Edit, Entry, EntryRef, Save, Step};
use crate::{Action, Actor, AuditEntry, Slug, StoreError};

/// The state in which somebody saw an entry: another one whenever anything in it is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

/// What is wrong with one field of what was to be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidField {
    /// The field, such as `slug`, `message` or `endpoints[2].address`.
    pub field: String,
    /// What is wrong with it, and what would be right.
    pub message: String,
    /// The line of a template, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// Why the directory was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Something that was to be saved cannot be so.
    #[error("{}", join_errors(.0))]
    Invalid(Vec<InvalidField>),
    /// Somebody else has changed the entry since it was seen.
    #[error("somebody else has changed {0} meanwhile")]
    Outdated(EntryRef),
    /// Nobody else could change anything then.
    #[error("{0} is the last admin who can log in: make another one first")]
    LastAdmin(Slug),
    /// The store refused, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn join_errors(errors: &[InvalidField]) -> String {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

/// How often an edit is tried anew when others keep changing the directory.
const MAX_TRIES: usize = 20;

impl Engine {
    /// Makes something new in the directory.
    ///
    /// # Errors
    ///
    /// [`EditError::Invalid`] for what breaks a rule, [`EditError::Store`] with
    /// [`StoreError::Conflict`] when the slug is taken.
    pub async fn create<T: DirectoryItem>(&self, item: &T, by: &Actor) -> Result<(), EditError> {
        item.check(self, None)?;
        let entry: Entry = item.clone().into();
        let change = self.noted(None, &entry, by);
        let steps = [Step::Save(entry, Save::Create)];
        self.edit(&steps, None, &[change]).await
    }

    /// Changes something of the directory: reads it, has it changed, checks it and saves it, all
    /// anew should somebody else change the directory meanwhile. Returns it as it is now. An endpoint
    /// of the same channel and address as before keeps its id.
    ///
    /// * `seen` - the state it must still be in.
    ///
    /// # Errors
    ///
    /// Every variant of [`EditError`]; [`EditError::Store`] with [`StoreError::Missing`] when it is
    /// not there; those of `change`.
    pub async fn change<T: DirectoryItem>(
        &self,
        slug: &Slug,
        by: &Actor,
        seen: Option<&Revision>,
        change: impl Fn(&mut T) -> Result<(), EditError> + Send + Sync,
    ) -> Result<T, EditError> {
        for _ in 0..MAX_TRIES {
            let (version, old) = self.seen::<T>(slug, seen).await?;
            let mut new = old.clone();
            change(&mut new)?;
            new.keep_ids(&old);
            if new == old {
                return Ok(new);
            }
            new.check(self, Some(&old))?;
            if old.is_guardian() && !new.is_guardian() {
                self.must_not_be_last(slug).await?;
            }
            let entry: Entry = new.clone().into();
            let noted = self.noted(Some(&old.into()), &entry, by);
            let steps = [Step::Save(entry, Save::Update)];
            match self.edit(&steps, Some(version), &[noted]).await {
                Ok(()) => return Ok(new),
                Err(EditError::Store(StoreError::Outdated)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Outdated.into())
    }

    /// Removes something of the directory, and its place in groups and events. What was sent stays in
    /// the log.
    ///
    /// * `seen` - the state it must still be in.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change).
    pub async fn remove<T: DirectoryItem>(
        &self,
        slug: &Slug,
        by: &Actor,
        seen: Option<&Revision>,
    ) -> Result<(), EditError> {
        for _ in 0..MAX_TRIES {
            let (version, old) = self.seen::<T>(slug, seen).await?;
            if old.is_guardian() {
                self.must_not_be_last(slug).await?;
            }
            let named = T::named(slug.clone());
            let change = AuditEntry::new(
                self.now(),
                by.clone(),
                Action::Removed,
                named.to_string(),
                describe::whole(&old.into()),
            );
            let steps = [Step::Remove(named)];
            match self.edit(&steps, Some(version), &[change]).await {
                Err(EditError::Store(StoreError::Outdated)) => {}
                ended => return ended,
            }
        }
        Err(StoreError::Outdated.into())
    }

    /// Makes or changes entries, all or none: those of a document, which its reader has checked. Endpoints
    /// keep their ids as in [`change`](Self::change).
    ///
    /// * `source` - the name of the document, for the audit log.
    ///
    /// # Errors
    ///
    /// [`EditError::Store`].
    pub async fn load(
        &self,
        entries: &[Entry],
        save: Save,
        source: &str,
        by: &Actor,
    ) -> Result<(), EditError> {
        let changes = entries.iter().map(|entry| {
            let detail = format!("imported from {source}");
            let subject = entry.named().to_string();
            AuditEntry::new(self.now(), by.clone(), Action::Changed, subject, detail)
        });
        let changes: Vec<_> = changes.collect();
        for _ in 0..MAX_TRIES {
            let version = self.store().version().await?;
            let steps = self.keeping_ids(entries, save).await?;
            match self.edit(&steps, Some(version), &changes).await {
                Err(EditError::Store(StoreError::Outdated)) => {}
                ended => return ended,
            }
        }
        Err(StoreError::Outdated.into())
    }

    /// The steps that save entries, with the ids that endpoints of the same address have now.
    async fn keeping_ids(&self, entries: &[Entry], save: Save) -> Result<Vec<Step>, StoreError> {
        let known = self.store().contacts().await?;
        let known: HashMap<_, _> = known.iter().map(|old| (&old.slug, old)).collect();
        let keep = |entry: &Entry| {
            let mut entry = entry.clone();
            if let Entry::Contact(new) = &mut entry
                && let Some(old) = known.get(&new.slug)
            {
                new.keep_endpoint_ids(old);
            }
            Step::Save(entry, save)
        };
        Ok(entries.iter().map(keep).collect())
    }

    /// Records something that changes nothing in the directory, such as a login.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be recorded.
    pub async fn note(
        &self,
        by: &Actor,
        action: Action,
        subject: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let change = AuditEntry::new(self.now(), by.clone(), action, subject, detail);
        self.store().note(&[change]).await
    }

    /// An item and the version at which it was read.
    async fn seen<T: DirectoryItem>(
        &self,
        slug: &Slug,
        seen: Option<&Revision>,
    ) -> Result<(u64, T), EditError> {
        let version = self.store().version().await?;
        let found = T::find(&**self.store(), slug).await?;
        let named = T::named(slug.clone());
        let what = named.to_string();
        let item = found.ok_or(StoreError::Missing { what })?;
        if seen.is_some_and(|seen| *seen != Revision::of(&item)) {
            return Err(EditError::Outdated(named));
        }
        Ok((version, item))
    }

    async fn edit(
        &self,
        steps: &[Step],
        version: Option<u64>,
        changes: &[AuditEntry],
    ) -> Result<(), EditError> {
        self.now().checked().map_err(StoreError::from)?;
        let edit = Edit {
            steps,
            version,
            changes,
        };
        Ok(self.store().edit(&edit).await?)
    }

    fn noted(&self, old: Option<&Entry>, new: &Entry, by: &Actor) -> AuditEntry {
        let (action, detail) = describe::between(old, new);
        let subject = new.named().to_string();
        AuditEntry::new(self.now(), by.clone(), action, subject, detail)
    }
}

impl Revision {
    /// How many characters one has.
    pub const LENGTH: usize = 24;

    /// The state of something now.
    pub fn of(item: &impl DirectoryItem) -> Self {
        let digest = Sha256::digest(serde_json::to_vec(item).unwrap_or_default());
        let number = digest[..12].iter();
        let number = number.fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        Self(format!("{number:0width$x}", width = Self::LENGTH))
    }

    /// A revision that somebody says to have seen.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The revision as text: hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl InvalidField {
    /// A fault of a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            line: None,
        }
    }
}

impl EditError {
    /// One field is wrong.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![InvalidField::new(field, message)])
    }
}
