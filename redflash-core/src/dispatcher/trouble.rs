//! What somebody has to be told about the gateways themselves.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::{Address, ChannelKind, Slug, Timestamp, Window};

/// Something that the person in charge has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A gateway takes no more messages.
    Stopped { gateway: Slug, reason: String },
    /// A gateway of which that was told takes messages again.
    Works { gateway: Slug },
    /// A gateway's budget is nearly used up, or just now.
    Budget {
        alarm: BudgetAlarm,
        used: u32,
        limit: u32,
    },
    /// A message through a gateway may have gone out, and waits until somebody resends it.
    Held { gateway: Slug },
    /// A person does not want to be told any more at an address.
    OptedOut {
        contacts: Vec<Slug>,
        channel: ChannelKind,
        address: Address,
    },
}

/// How the alarm about a gateway is called in the store.
pub(crate) fn subject(gateway: &Slug) -> String {
    format!("gateway/{gateway}")
}

/// The gateways that have stopped, by the alarms in the store.
pub(crate) fn stopped(alarms: &[String]) -> Vec<Slug> {
    let gateway = |subject: &String| subject.strip_prefix("gateway/")?.parse().ok();
    alarms.iter().filter_map(gateway).collect()
}

/// What is told of a budget once in a window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BudgetAlarm {
    pub(crate) gateway: Slug,
    pub(crate) window: Window,
    pub(crate) starts_at: Timestamp,
    pub(crate) is_used_up: bool,
}

/// What is to be told, on its way to whoever tells it.
#[derive(Debug)]
pub(crate) struct Troubles {
    told: mpsc::UnboundedSender<Trouble>,
    waiting: Mutex<Option<mpsc::UnboundedReceiver<Trouble>>>,
    /// The gateways that are known to have stopped.
    stopped: Mutex<HashSet<Slug>>,
    any_stopped: AtomicBool,
    /// What this process has found out about the budgets of these windows.
    budgets: Mutex<HashSet<BudgetAlarm>>,
}

impl Default for Troubles {
    fn default() -> Self {
        let (told, waiting) = mpsc::unbounded_channel();
        Self {
            told,
            waiting: Mutex::new(Some(waiting)),
            stopped: Mutex::default(),
            any_stopped: AtomicBool::new(false),
            budgets: Mutex::default(),
        }
    }
}

impl Troubles {
    pub(crate) fn push(&self, trouble: Trouble) {
        // Nobody receives once the process is about to end.
        let _ = self.told.send(trouble);
    }

    /// Whether nobody in this process has found that out yet.
    pub(super) fn is_new(&self, alarm: &BudgetAlarm) -> bool {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        if budgets.contains(alarm) {
            return false;
        }
        let is_of_before = |other: &BudgetAlarm| {
            (&other.gateway, other.window) == (&alarm.gateway, alarm.window)
                && other.starts_at < alarm.starts_at
        };
        budgets.retain(|other| !is_of_before(other));
        budgets.insert(alarm.clone())
    }

    /// A gateway took a message: if it is known to have stopped, that is over.
    pub(super) fn works(&self, gateway: &Slug) {
        if !self.any_stopped.load(Ordering::Relaxed) {
            return;
        }
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if stopped.remove(gateway) {
            let gateway = gateway.clone();
            self.push(Trouble::Works { gateway });
        }
    }

    /// These are the gateways that are known to have stopped.
    pub(crate) fn know(&self, gateways: impl IntoIterator<Item = Slug>) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *stopped = gateways.into_iter().collect();
        self.any_stopped
            .store(!stopped.is_empty(), Ordering::Relaxed);
    }

    /// The gateways that are known to have stopped, in order.
    pub(crate) fn stopped(&self) -> Vec<Slug> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stopped: Vec<_> = stopped.iter().cloned().collect();
        stopped.sort();
        stopped
    }

    /// What is to be told, for the first who asks.
    pub(crate) fn take(&self) -> Option<mpsc::UnboundedReceiver<Trouble>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.take()
    }
}
