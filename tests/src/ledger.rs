//! Accepted notifications, compared with those that arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::Value;

use crate::{Client, Received};

/// A client's view: every notification that was accepted, and those of which it does not
/// know, since the answer never came.
#[derive(Debug, Default)]
pub struct Ledger {
    accepted: Mutex<BTreeSet<String>>,
    in_doubt: Mutex<u64>,
}

/// The difference between a ledger and the arrivals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Accepted, and never arrived.
    pub lost: Vec<String>,
    /// Arrived more than once, with how often.
    pub repeated: BTreeMap<String, usize>,
    /// Arrived though not known to be accepted.
    pub unannounced: Vec<String>,
}

impl Balance {
    /// Returns the number of repeated arrivals.
    pub fn repeats(&self) -> usize {
        self.repeated.values().map(|count| count - 1).sum()
    }

    /// The repeated notifications of which the log does not say that they may be repeats.
    ///
    /// * `key` - a key that may inspect.
    pub async fn unlabelled(&self, server: &Client, key: &str) -> BTreeSet<String> {
        let mut unlabelled = BTreeSet::new();
        for id in self.repeated.keys() {
            let path = format!("/api/v1/notifications/{id}");
            let shown = server.get_as(&path, key).await.expect(200).json();
            let unknown = |attempt: &Value| attempt["outcome"] == "unknown";
            let labelled = |delivery: &Value| {
                let attempts = delivery["attempts_made"].as_array().unwrap();
                delivery["may_repeat"] == true && attempts.iter().any(unknown)
            };
            if !shown["deliveries"].as_array().unwrap().iter().any(labelled) {
                unlabelled.insert(id.clone());
            }
        }
        unlabelled
    }
}

impl Ledger {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that this notification was accepted.
    pub fn accept(&self, notification: impl Into<String>) {
        self.accepted.lock().unwrap().insert(notification.into());
    }

    /// Notes a request without an answer: it may have been accepted.
    pub fn doubt(&self) {
        *self.in_doubt.lock().unwrap() += 1;
    }

    /// Every notification that was accepted.
    pub fn ids(&self) -> BTreeSet<String> {
        self.accepted.lock().unwrap().clone()
    }

    /// Returns the number of accepted notifications.
    pub fn len(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// Whether nothing was accepted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of requests that ended without an answer.
    pub fn doubts(&self) -> u64 {
        *self.in_doubt.lock().unwrap()
    }

    /// Compares it with what arrived at a webhook.
    pub fn balance(&self, arrived: &[Received]) -> Balance {
        let mut counts = BTreeMap::<String, usize>::new();
        for request in arrived {
            *counts.entry(request.notification()).or_default() += 1;
        }
        let accepted = self.accepted.lock().unwrap();
        let lost = accepted.iter().filter(|id| !counts.contains_key(*id));
        let unannounced = counts.keys().filter(|id| !accepted.contains(*id));
        Balance {
            lost: lost.cloned().collect(),
            unannounced: unannounced.cloned().collect(),
            repeated: counts
                .iter()
                .filter(|(_, count)| **count > 1)
                .map(|(id, count)| (id.clone(), *count))
                .collect(),
        }
    }
}
