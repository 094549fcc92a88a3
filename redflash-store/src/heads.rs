//! The parts of large notifications that claims need, read once for each.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::row::notification::Head;

/// Maximum number of notifications kept.
const KEPT: usize = 64;
/// From this size on, a plan is not read again for each claim.
const LARGE: usize = 8 * 1024;

/// The heads of the notifications with the largest plans that were claimed from last. A plan grows with
/// its recipients, and each claim takes only some of them.
#[derive(Clone, Default)]
pub(crate) struct Heads(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    by_id: HashMap<String, Head>,
    oldest_first: VecDeque<String>,
}

impl Heads {
    pub(crate) fn get(&self, notification: &str) -> Option<Head> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.by_id.get(notification).cloned()
    }

    /// Keeps a head, if its plan is so large that it pays.
    pub(crate) fn keep(&self, notification: &str, head: &Head, plan: usize) {
        if plan < LARGE {
            return;
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = notification.to_owned();
        if state.by_id.insert(id.clone(), head.clone()).is_none() {
            state.oldest_first.push_back(id);
        }
        if state.oldest_first.len() > KEPT
            && let Some(oldest) = state.oldest_first.pop_front()
        {
            state.by_id.remove(&oldest);
        }
    }
}

impl std::fmt::Debug for Heads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Heads")
    }
}
