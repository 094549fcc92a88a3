//! When keys were last used, kept here for a moment so that a raise costs no write of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redflash_core::{Engine, Slug, Timestamp, error_chain};
use tracing::warn;

/// How long uses are kept before they are recorded.
const PAUSE: Duration = Duration::from_secs(2);

/// When keys were used since that was last recorded.
#[derive(Debug, Default)]
pub(crate) struct KeyUsage(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    uses: HashMap<Slug, Timestamp>,
    /// Whether somebody is about to record them.
    is_pending: bool,
}

impl KeyUsage {
    /// Notes that a key is used now.
    pub(crate) fn note(self: &Arc<Self>, engine: &Engine, key: &Slug) {
        let now = engine.now();
        let mut kept = self.kept();
        match kept.uses.get_mut(key) {
            Some(at) => *at = now,
            None => {
                kept.uses.insert(key.clone(), now);
            }
        }
        if !std::mem::replace(&mut kept.is_pending, true) {
            tokio::spawn(Arc::clone(self).record(engine.clone()));
        }
    }

    async fn record(self: Arc<Self>, engine: Engine) {
        tokio::time::sleep(PAUSE).await;
        let uses: Vec<_> = {
            let mut kept = self.kept();
            kept.is_pending = false;
            kept.uses.drain().collect()
        };
        if let Err(fault) = engine.store().note_key_uses(&uses).await {
            warn!(
                fault = error_chain(&fault),
                "when keys were used was not recorded"
            );
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
