//! Changes of the directory: validated, recorded with their author, and never over a change by
//! someone else.

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
use crate::model::{Action, Actor, AuditEntry, Slug};
use crate::store::{Edit, Entry, EntryRef, Save, Step, StoreError};

/// The version of an entry, which differs after any change of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

/// An invalid field of an entry that was to be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidField {
    /// The field, such as `slug`, `message` or `endpoints[2].address`.
    pub field: String,
    /// The error, and a valid value.
    pub message: String,
    /// The line of a template, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// Reason why the directory was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Some fields are not valid.
    #[error("{}", join_errors(.0))]
    Invalid(Vec<InvalidField>),
    /// Someone else has changed the entry since it was read.
    #[error("{0} was changed by someone else in the meantime")]
    Outdated(EntryRef),
    /// No other user could change anything then.
    #[error("{0} is the last admin who can log in: create another one first")]
    LastAdmin(Slug),
    /// The store refused the change, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn join_errors(errors: &[InvalidField]) -> String {
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

/// Number of tries of an edit while others keep changing the directory.
const MAX_TRIES: usize = 20;

impl Engine {
    /// Creates an entry in the directory.
    ///
    /// # Errors
    ///
    /// [`EditError::Invalid`] for fields that break a rule, [`EditError::Store`] with
    /// [`StoreError::Conflict`] when the slug is taken.
    pub async fn create<T: DirectoryItem>(&self, item: &T, by: &Actor) -> Result<(), EditError> {
        item.check(self, None)?;
        let entry: Entry = item.clone().into();
        let change = self.audit_entry(None, &entry, by);
        let steps = [Step::Save(entry, Save::Create)];
        self.edit(&steps, None, &[change]).await
    }

    /// Changes an entry of the directory: reads it, applies `change`, checks it and saves it.
    /// Repeats all of that if someone else changes the directory meanwhile. Returns the entry as it
    /// is now. An endpoint of the same channel and address as before keeps its id.
    ///
    /// * `seen` - the revision that it must still have.
    ///
    /// # Errors
    ///
    /// Every variant of [`EditError`]; [`EditError::Store`] with [`StoreError::Missing`] when the
    /// entry does not exist; the errors of `change`.
    pub async fn change<T: DirectoryItem>(
        &self,
        slug: &Slug,
        by: &Actor,
        seen: Option<&Revision>,
        change: impl Fn(&mut T) -> Result<(), EditError> + Send + Sync,
    ) -> Result<T, EditError> {
        for _ in 0..MAX_TRIES {
            let (version, old) = self.read_item::<T>(slug, seen).await?;
            let mut new = old.clone();
            change(&mut new)?;
            new.keep_ids(&old);
            if new == old {
                return Ok(new);
            }
            new.check(self, Some(&old))?;
            if old.is_guardian() && !new.is_guardian() {
                self.check_not_last_admin(slug).await?;
            }
            let entry: Entry = new.clone().into();
            let noted = self.audit_entry(Some(&old.into()), &entry, by);
            let steps = [Step::Save(entry, Save::Update)];
            match self.edit(&steps, Some(version), &[noted]).await {
                Ok(()) => return Ok(new),
                Err(EditError::Store(StoreError::Outdated)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Outdated.into())
    }

    /// Removes an entry of the directory, also from groups and events. Its notifications stay in
    /// the log.
    ///
    /// * `seen` - the revision that it must still have.
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
            let (version, old) = self.read_item::<T>(slug, seen).await?;
            if old.is_guardian() {
                self.check_not_last_admin(slug).await?;
            }
            let named = T::named(slug.clone());
            let change = AuditEntry::new(
                self.now(),
                by.clone(),
                Action::Removed,
                named.to_string(),
                describe::entry(&old.into()),
            );
            let steps = [Step::Remove(named)];
            match self.edit(&steps, Some(version), &[change]).await {
                Err(EditError::Store(StoreError::Outdated)) => {}
                ended => return ended,
            }
        }
        Err(StoreError::Outdated.into())
    }

    /// Creates or changes the entries of a document, all or none. The document's reader has checked
    /// them. Endpoints keep their ids as in [`change`](Self::change).
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
            let steps = self.with_present_ids(entries, save).await?;
            match self.edit(&steps, Some(version), &changes).await {
                Err(EditError::Store(StoreError::Outdated)) => {}
                ended => return ended,
            }
        }
        Err(StoreError::Outdated.into())
    }

    /// Returns the steps that save entries. Endpoints of the same address keep their present ids.
    async fn with_present_ids(
        &self,
        entries: &[Entry],
        save: Save,
    ) -> Result<Vec<Step>, StoreError> {
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

    /// Records an action that changes nothing in the directory, such as a login.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be recorded.
    pub async fn record_audit(
        &self,
        by: &Actor,
        action: Action,
        subject: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let change = AuditEntry::new(self.now(), by.clone(), action, subject, detail);
        self.store().record_audit(&[change]).await
    }

    /// Returns an item and the version at which it was read.
    async fn read_item<T: DirectoryItem>(
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

    fn audit_entry(&self, old: Option<&Entry>, new: &Entry, by: &Actor) -> AuditEntry {
        let (action, detail) = describe::difference(old, new);
        let subject = new.named().to_string();
        AuditEntry::new(self.now(), by.clone(), action, subject, detail)
    }
}

impl Revision {
    /// Number of characters.
    pub const LENGTH: usize = 24;

    /// Returns the present revision of an entry.
    pub fn of(item: &impl DirectoryItem) -> Self {
        let digest = Sha256::digest(serde_json::to_vec(item).unwrap_or_default());
        let number = digest[..12].iter();
        let number = number.fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        Self(format!("{number:0width$x}", width = Self::LENGTH))
    }

    /// Returns the revision that a client says it has read.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the revision as text, in hex digits.
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
    /// Returns an error about a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            line: None,
        }
    }
}

impl EditError {
    /// Returns the error for a single invalid field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![InvalidField::new(field, message)])
    }
}
