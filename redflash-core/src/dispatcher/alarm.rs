//! Events that may raise an alarm about the gateways themselves.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{MutexGuard, mpsc};

use crate::clock::{Monotonic, Timestamp};
use crate::model::{Address, ChannelKind, Slug};
use crate::store::{Alarm, Window};

/// An event that the alarm contact must hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AlarmEvent {
    /// A gateway stopped taking messages, or another try failed.
    Stopped {
        gateway: Slug,
        reason: String,
        next_try_at: Timestamp,
    },
    /// A gateway with an alarm takes messages again.
    Recovered { gateway: Slug },
    /// A gateway refuses some of our messages.
    Refusing { gateway: Slug, reason: String },
    /// A gateway with an alarm about refusals has refused nothing for a while.
    RefusalEnded { gateway: Slug },
    /// A gateway's budget is nearly used up, or has just been used up.
    Budget {
        alarm: BudgetAlarm,
        used: u32,
        limit: u32,
    },
    /// A message through a gateway may have gone out, and waits for a manual resend.
    Held { gateway: Slug },
    /// Deliveries were leased several times without any outcome, and wait for a manual resend.
    SetAside { set_aside: usize },
    /// A contact opted out at an address.
    OptedOut {
        contacts: Vec<Slug>,
        channel: ChannelKind,
        address: Address,
    },
}

/// Returns the subject of a gateway's alarm in the store.
pub(crate) fn subject(gateway: &Slug) -> String {
    format!("gateway/{gateway}")
}

/// Returns the subject, in the store, of the alarm about a gateway that refuses messages.
pub(crate) fn refusal_subject(gateway: &Slug) -> String {
    format!("refusal/{gateway}")
}

/// Returns the gateways that have stopped, by the alarms in the store.
pub(crate) fn stopped(alarms: &[Alarm]) -> Vec<Slug> {
    gateways_of(alarms, "gateway/")
}

/// Returns the gateways that refuse some of our messages, by the alarms in the store.
pub(crate) fn refusing(alarms: &[Alarm]) -> Vec<Slug> {
    gateways_of(alarms, "refusal/")
}

fn gateways_of(alarms: &[Alarm], prefix: &str) -> Vec<Slug> {
    let gateway = |alarm: &Alarm| alarm.subject.strip_prefix(prefix)?.parse().ok();
    alarms.iter().filter_map(gateway).collect()
}

/// Time without a refusal after which an accepted message ends the episode. Some messages are
/// accepted while others are refused, so a single one ends nothing.
const QUIET_PERIOD: Duration = Duration::from_secs(60 * 60);

/// A budget alarm, sent once in a window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BudgetAlarm {
    pub(crate) gateway: Slug,
    pub(crate) window: Window,
    pub(crate) starts_at: Timestamp,
    pub(crate) is_used_up: bool,
}

/// The alarm events on their way to the loop that handles them, and the open alarms.
#[derive(Debug)]
pub(crate) struct Alarms {
    sender: mpsc::UnboundedSender<AlarmEvent>,
    receiver: tokio::sync::Mutex<mpsc::UnboundedReceiver<AlarmEvent>>,
    /// The gateways with an alarm that they have stopped.
    stopped: Mutex<HashSet<Slug>>,
    any_stopped: AtomicBool,
    /// The gateways that refuse messages, each with its last refusal as far as this process knows.
    refusing: Mutex<HashMap<Slug, Monotonic>>,
    any_refusing: AtomicBool,
    /// The budget alarms that this process has raised in these windows.
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
        // The receiver is gone once the process is about to end.
        let _ = self.sender.send(event);
    }

    /// Returns true if this process has not raised the alarm yet.
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

    /// Records that a gateway refused one of our messages, which raises an alarm once an episode.
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

    /// Records that a gateway accepted a message, which may end its alarms.
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
        let is_quiet = |last: &Monotonic| now.since(*last) >= QUIET_PERIOD;
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

    /// Replaces the gateways with an alarm that they have stopped.
    pub(crate) fn set_stopped(&self, gateways: impl IntoIterator<Item = Slug>) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *stopped = gateways.into_iter().collect();
        self.any_stopped
            .store(!stopped.is_empty(), Ordering::Relaxed);
    }

    /// Replaces the gateways that refuse messages. One that is new to this process counts as
    /// refusing now, whichever process found out.
    pub(crate) fn set_refusing(&self, gateways: &[Slug], now: Monotonic) {
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        refusing.retain(|gateway, _| gateways.contains(gateway));
        for gateway in gateways {
            refusing.entry(gateway.clone()).or_insert(now);
        }
        self.any_refusing
            .store(!refusing.is_empty(), Ordering::Relaxed);
    }

    /// Returns the gateways with an alarm that they have stopped, sorted.
    pub(crate) fn stopped(&self) -> Vec<Slug> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stopped: Vec<_> = stopped.iter().cloned().collect();
        stopped.sort();
        stopped
    }

    /// Returns the receiver of alarm events, for one reader at a time.
    pub(crate) async fn receiver(&self) -> MutexGuard<'_, mpsc::UnboundedReceiver<AlarmEvent>> {
        self.receiver.lock().await
    }
}
