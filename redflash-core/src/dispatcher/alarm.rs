//! What somebody has to be told about the gateways themselves.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{MutexGuard, mpsc};

use crate::store::Alarm;
use crate::{Address, ChannelKind, Monotonic, Slug, Timestamp, Window};

/// Something that the person in charge has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AlarmEvent {
    /// A gateway takes no more messages, or was tried again in vain.
    Stopped {
        gateway: Slug,
        reason: String,
        next_try_at: Timestamp,
    },
    /// A gateway of which that was told takes messages again.
    Recovered { gateway: Slug },
    /// A gateway refuses to take some messages from us.
    Refusing { gateway: Slug, reason: String },
    /// A gateway of which that was told has refused nothing for a while.
    RefusalEnded { gateway: Slug },
    /// A gateway's budget is nearly used up, or just now.
    Budget {
        alarm: BudgetAlarm,
        used: u32,
        limit: u32,
    },
    /// A message through a gateway may have gone out, and waits until somebody resends it.
    Held { gateway: Slug },
    /// Deliveries were leased several times without any outcome, and wait until somebody resends them.
    SetAside { set_aside: usize },
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

/// The alarm about a gateway that refuses to take some messages from us, as in the store.
pub(crate) fn refusal_subject(gateway: &Slug) -> String {
    format!("refusal/{gateway}")
}

/// The gateways that have stopped, by the alarms in the store.
pub(crate) fn stopped(alarms: &[Alarm]) -> Vec<Slug> {
    gateways_of(alarms, "gateway/")
}

/// The gateways that refuse to take some messages from us, by the alarms in the store.
pub(crate) fn refusing(alarms: &[Alarm]) -> Vec<Slug> {
    gateways_of(alarms, "refusal/")
}

fn gateways_of(alarms: &[Alarm], prefix: &str) -> Vec<Slug> {
    let gateway = |alarm: &Alarm| alarm.subject.strip_prefix(prefix)?.parse().ok();
    alarms.iter().filter_map(gateway).collect()
}

/// Time without a refusal after which a message that is taken ends the episode. Some messages are
/// taken while others are refused, so a single one ends nothing.
const QUIET: Duration = Duration::from_secs(60 * 60);

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
pub(crate) struct Alarms {
    sender: mpsc::UnboundedSender<AlarmEvent>,
    receiver: tokio::sync::Mutex<mpsc::UnboundedReceiver<AlarmEvent>>,
    /// The gateways that are known to have stopped.
    stopped: Mutex<HashSet<Slug>>,
    any_stopped: AtomicBool,
    /// The gateways that are known to refuse messages, and when each last did as far as this process
    /// knows.
    refusing: Mutex<HashMap<Slug, Monotonic>>,
    any_refusing: AtomicBool,
    /// What this process has found out about the budgets of these windows.
    budgets: Mutex<HashSet<BudgetAlarm>>,
}

impl Default for Alarms {
    fn default() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
            stopped: Mutex::default(),
            any_stopped: AtomicBool::new(false),
            refusing: Mutex::default(),
            any_refusing: AtomicBool::new(false),
            budgets: Mutex::default(),
        }
    }
}

impl Alarms {
    pub(crate) fn push(&self, event: AlarmEvent) {
        // Nobody receives once the process is about to end.
        let _ = self.sender.send(event);
    }

    /// Whether nobody in this process has found that out yet.
    pub(crate) fn is_new(&self, alarm: &BudgetAlarm) -> bool {
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

    /// A gateway refused to take a message from us: somebody is told once an episode.
    pub(crate) fn refused(&self, gateway: &Slug, reason: &str, now: Monotonic) {
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        self.any_refusing.store(true, Ordering::Relaxed);
        if refusing.insert(gateway.clone(), now).is_none() {
            self.push(AlarmEvent::Refusing {
                gateway: gateway.clone(),
                reason: reason.to_owned(),
            });
        }
    }

    /// A gateway took a message: what is known of it may be over.
    pub(crate) fn succeeded(&self, gateway: &Slug, now: Monotonic) {
        if self.any_stopped.load(Ordering::Relaxed) {
            self.end_stop(gateway);
        }
        if self.any_refusing.load(Ordering::Relaxed) {
            self.end_refusal(gateway, now);
        }
    }

    fn end_refusal(&self, gateway: &Slug, now: Monotonic) {
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = |last: &Monotonic| now.since(*last) >= QUIET;
        if refusing.get(gateway).is_some_and(is_quiet) {
            refusing.remove(gateway);
            let gateway = gateway.clone();
            self.push(AlarmEvent::RefusalEnded { gateway });
        }
    }

    fn end_stop(&self, gateway: &Slug) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if stopped.remove(gateway) {
            let gateway = gateway.clone();
            self.push(AlarmEvent::Recovered { gateway });
        }
    }

    /// These are the gateways that are known to have stopped.
    pub(crate) fn set_stopped(&self, gateways: impl IntoIterator<Item = Slug>) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *stopped = gateways.into_iter().collect();
        self.any_stopped
            .store(!stopped.is_empty(), Ordering::Relaxed);
    }

    /// These are the gateways that are known to refuse messages. One that this process has not heard
    /// of before counts as refusing now, whichever process found it out.
    pub(crate) fn set_refusing(&self, gateways: &[Slug], now: Monotonic) {
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        refusing.retain(|gateway, _| gateways.contains(gateway));
        for gateway in gateways {
            refusing.entry(gateway.clone()).or_insert(now);
        }
        self.any_refusing
            .store(!refusing.is_empty(), Ordering::Relaxed);
    }

    /// The gateways that are known to have stopped, in order.
    pub(crate) fn stopped(&self) -> Vec<Slug> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stopped: Vec<_> = stopped.iter().cloned().collect();
        stopped.sort();
        stopped
    }

    /// The troubles that are to be told, for one reader at a time.
    pub(crate) async fn receiver(&self) -> MutexGuard<'_, mpsc::UnboundedReceiver<AlarmEvent>> {
        self.receiver.lock().await
    }
}
