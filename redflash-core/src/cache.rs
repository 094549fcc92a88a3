//! What was read of the directory, for as long as nothing in it changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{ApiKey, Directory, KeyHash, StoreError, Target, View};

/// How many views are kept. A full cache starts anew.
const MOST: usize = 4096;

/// Keeps views and keys of one version of the directory; every read first asks for the version, so
/// that nothing outlives a change, whoever made it.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    version: u64,
    views: HashMap<Target, Arc<View>>,
    keys: HashMap<KeyHash, ApiKey>,
}

impl Cache {
    pub(crate) async fn view<D: Directory + ?Sized>(
        &self,
        directory: &D,
        target: &Target,
    ) -> Result<Option<Arc<View>>, StoreError> {
        let version = directory.version().await?;
        if let Some(view) = self.at(version).views.get(target) {
            return Ok(Some(Arc::clone(view)));
        }
        let Some(view) = directory.view(target).await?.map(Arc::new) else {
            return Ok(None);
        };
        let mut kept = self.at(version);
        if view.version == version {
            kept.views.insert(target.clone(), Arc::clone(&view));
        }
        Ok(Some(view))
    }

    pub(crate) async fn api_key<D: Directory + ?Sized>(
        &self,
        directory: &D,
        hash: &KeyHash,
    ) -> Result<Option<ApiKey>, StoreError> {
        let version = directory.version().await?;
        if let Some(key) = self.at(version).keys.get(hash) {
            return Ok(Some(key.clone()));
        }
        let key = directory.api_key_by_hash(hash).await?;
        // Only keys that exist are kept: guesses must not be able to fill the memory.
        if let Some(key) = &key {
            self.at(version).keys.insert(*hash, key.clone());
        }
        Ok(key)
    }

    /// What is kept of this version, which is nothing when another was kept.
    fn at(&self, version: u64) -> MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.version != version || kept.views.len() >= MOST {
            *kept = Kept {
                version,
                ..Kept::default()
            };
        }
        kept
    }
}
