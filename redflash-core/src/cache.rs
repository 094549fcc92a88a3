//! A cache of the directory, valid as long as nothing in it changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{ApiKey, CheckedKey, KeyHash, Target, TargetView};
use crate::store::{Directory, StoreError};

/// Maximum number of views kept. A full cache is cleared.
const MAX_VIEWS: usize = 4096;

/// Keeps views and keys of one version of the directory.
///
/// The cache may be out of date, since changes by other processes are not announced. Uses without a
/// [refresh](Self::refresh) are confirmed later: a raise by the transaction that records it.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    version: u64,
    views: HashMap<Target, Arc<TargetView>>,
    keys: HashMap<KeyHash, ApiKey>,
}

impl Kept {
    fn key(&self, hash: &KeyHash) -> Option<CheckedKey> {
        let key = self.keys.get(hash)?.clone();
        let version = self.version;
        Some(CheckedKey { key, version })
    }
}

impl Cache {
    /// Drops outdated entries, and returns the present version.
    pub(crate) async fn refresh<D: Directory + ?Sized>(
        &self,
        directory: &D,
    ) -> Result<u64, StoreError> {
        let version = directory.version().await?;
        self.forget(version);
        Ok(version)
    }

    /// Drops the entries if their version is not the present one. That may be a lower one, if the
    /// store has lost its last changes.
    pub(crate) fn forget(&self, version: u64) {
        let mut kept = self.kept();
        if kept.version != version {
            *kept = Kept {
                version,
                ..Kept::default()
            };
        }
    }

    /// Returns the view of a target, now or when it was last read.
    pub(crate) async fn view<D: Directory + ?Sized>(
        &self,
        directory: &D,
        target: &Target,
    ) -> Result<Option<Arc<TargetView>>, StoreError> {
        if let Some(view) = self.kept().views.get(target) {
            return Ok(Some(Arc::clone(view)));
        }
        let Some(view) = directory.view(target).await?.map(Arc::new) else {
            return Ok(None);
        };
        let mut kept = self.at(view.version);
        if view.version == kept.version {
            kept.views.insert(target.clone(), Arc::clone(&view));
        }
        Ok(Some(view))
    }

    /// Returns the key with this hash if it allows something, now or when it was last read. Only
    /// the directory itself can deny it.
    pub(crate) async fn api_key<D: Directory + ?Sized>(
        &self,
        directory: &D,
        hash: &KeyHash,
        allows: impl Fn(&ApiKey) -> bool,
    ) -> Result<Option<CheckedKey>, StoreError> {
        if let Some(checked) = self.kept().key(hash).filter(|checked| allows(&checked.key)) {
            return Ok(Some(checked));
        }
        let version = directory.version().await?;
        let Some(key) = directory.api_key_by_hash(hash).await? else {
            return Ok(None);
        };
        // Only existing keys are kept, so that guesses cannot fill the memory.
        let mut kept = self.at(version);
        if version == kept.version {
            kept.keys.insert(*hash, key.clone());
        }
        Ok(Some(CheckedKey { key, version }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the entries of this version or a later one.
    fn at(&self, version: u64) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept();
        if version > kept.version || kept.views.len() >= MAX_VIEWS {
            *kept = Kept {
                version: version.max(kept.version),
                ..Kept::default()
            };
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Contact, Name, Slug};
    use crate::store::{Entry, MemoryStore, Save};

    async fn changed(store: &MemoryStore, name: &str) {
        let contact = Contact::new(Slug::parse("ann").unwrap(), Name::parse(name).unwrap());
        let entry = Entry::Contact(contact);
        store.save(&[entry], Save::Upsert).await.unwrap();
    }

    async fn name(cache: &Cache, store: &MemoryStore) -> String {
        let target = "contact/ann".parse().unwrap();
        let view = cache.view(store, &target).await.unwrap().unwrap();
        view.contacts[0].name.to_string()
    }

    #[tokio::test]
    async fn cache_follows_the_store_forward_and_back() {
        let (cache, store) = (Cache::default(), MemoryStore::new());
        changed(&store, "Ann").await;
        changed(&store, "Anne").await;
        assert_eq!(name(&cache, &store).await, "Anne");
        changed(&store, "Anna").await;
        assert_eq!(name(&cache, &store).await, "Anne", "kept until refreshed");
        cache.refresh(&store).await.unwrap();
        assert_eq!(name(&cache, &store).await, "Anna");

        let restored = MemoryStore::new();
        changed(&restored, "Ann").await;
        cache.refresh(&restored).await.unwrap();
        assert_eq!(name(&cache, &restored).await, "Ann");
    }
}
