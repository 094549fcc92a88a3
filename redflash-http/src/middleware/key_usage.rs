//! The last use of each API key, collected so that a raise needs no write of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redflash_core::clock::Timestamp;
use redflash_core::model::Slug;
use redflash_core::{Engine, error_chain};
use tracing::warn;

/// Time for which uses are collected before they are recorded.
const INTERVAL: Duration = Duration::from_secs(2);

/// The uses of keys that are not recorded yet.
#[derive(Debug, Default)]
pub(crate) struct KeyUsage(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    uses: HashMap<Slug, Timestamp>,
    /// True if a task is about to record them.
    is_scheduled: bool,
}

impl KeyUsage {
    /// Records that a key is used now.
    pub(crate) fn note(self: &Arc<Self>, engine: &Engine, key: &Slug) {
        let now = engine.now();
        let mut pending = self.pending();
        match pending.uses.get_mut(key) {
            Some(at) => *at = now,
            None => {
                pending.uses.insert(key.clone(), now);
            }
        }
        if !std::mem::replace(&mut pending.is_scheduled, true) {
            tokio::spawn(Arc::clone(self).record(engine.clone()));
        }
    }

    async fn record(self: Arc<Self>, engine: Engine) {
        tokio::time::sleep(INTERVAL).await;
        let uses: Vec<_> = {
            let mut pending = self.pending();
            pending.is_scheduled = false;
            pending.uses.drain().collect()
        };
        if let Err(error) = engine.store().record_key_usage(&uses).await {
            warn!(
                error = error_chain(&error),
                "the last use of API keys was not recorded"
            );
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
