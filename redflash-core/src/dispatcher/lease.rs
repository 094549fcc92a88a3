//! The leases of the deliveries that this process is handing over. They are renewed while it lives,
//! and it never takes them back itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use tracing::warn;

use crate::clock::{Moment, Monotonic, Timestamp};
use crate::delivery::{HeldLease, Lease, LeaseToken};
use crate::dispatcher::Dispatcher;
use crate::dispatcher::life::Life;
use crate::dispatcher::life::heartbeat::Loop;
use crate::model::{DeliveryId, Slug};

/// The leases of every delivery in flight in this process, until its outcome is recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases(Arc<Mutex<HashMap<HeldLease, Arc<Held>>>>);

/// One lease of this process.
#[derive(Debug)]
struct Held {
    lease: HeldLease,
    /// In milliseconds of the monotonic clock, so that setting the clock neither ends nor extends
    /// it.
    until: AtomicU64,
    /// True once the store has reported that the lease is lost.
    is_lost: AtomicBool,
    /// The hand-over to a gateway, once it has begun.
    send_start: OnceLock<SendStart>,
}

/// The beginning of a hand-over to a gateway, after which its outcome is unknown until it is
/// recorded.
#[derive(Debug)]
pub(super) struct SendStart {
    pub(super) gateway: Slug,
    pub(super) at: Timestamp,
}

/// Keeps a lease of this process, which is renewed until this is dropped.
#[derive(Debug)]
pub(crate) struct LeaseGuard {
    held: Arc<Held>,
    leases: Leases,
}

/// A view of a lease that a guard keeps.
#[derive(Clone, Debug)]
pub(crate) struct LeaseView(Arc<Held>);

impl Leases {
    fn state(&self) -> MutexGuard<'_, HashMap<HeldLease, Arc<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard(&self, lease: HeldLease, until: Monotonic) -> LeaseGuard {
        let held = Arc::new(Held {
            lease,
            until: AtomicU64::new(until.as_millis()),
            is_lost: AtomicBool::new(false),
            send_start: OnceLock::new(),
        });
        self.state().insert(lease, Arc::clone(&held));
        LeaseGuard {
            held,
            leases: self.clone(),
        }
    }

    /// Returns the leases of deliveries in flight.
    pub(super) fn running(&self) -> Vec<HeldLease> {
        self.state().keys().copied().collect()
    }

    /// Returns the leases that end before a time.
    fn ending(&self, before: Monotonic) -> Vec<Arc<Held>> {
        let ends = |held: &&Arc<Held>| !held.is_lost() && held.until() <= before;
        self.state().values().filter(ends).cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().is_empty()
    }
}

impl Held {
    fn until(&self) -> Monotonic {
        Monotonic::from_millis(self.until.load(Ordering::Relaxed))
    }

    fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

impl LeaseGuard {
    pub(crate) fn token(&self) -> LeaseToken {
        self.held.lease.token
    }

    pub(crate) fn view(&self) -> LeaseView {
        LeaseView(Arc::clone(&self.held))
    }

    /// Returns the hand-over to a gateway, if it has begun.
    pub(super) fn send_start(&self) -> Option<&SendStart> {
        self.held.send_start.get()
    }
}

impl LeaseView {
    /// Records that the hand-over to a gateway begins now.
    pub(super) fn begin(&self, gateway: &Slug, at: Timestamp) {
        let gateway = gateway.clone();
        // The first one counts.
        let _ = self.0.send_start.set(SendStart { gateway, at });
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        self.leases.state().remove(&self.held.lease);
    }
}

impl Dispatcher {
    /// Returns a lease that begins now.
    pub(crate) fn lease(&self, now: Timestamp) -> Lease {
        Lease {
            worker: self.worker,
            token: LeaseToken::random(),
            now,
            until: now.plus(self.lease),
        }
    }

    /// Returns the length of a lease.
    pub(crate) const fn lease_length(&self) -> Duration {
        self.lease
    }

    /// Keeps the lease of a delivery that is about to be handed over.
    pub(crate) fn guard(&self, delivery: DeliveryId, lease: &Lease) -> LeaseGuard {
        let token = lease.token;
        let until = self.moment().monotonic_at(lease.until);
        self.leases.guard(HeldLease { delivery, token }, until)
    }

    /// Renews the leases that are more than a third over.
    pub(super) async fn renew_leases(&self, now: Moment) {
        let ending = self.leases.ending(now.monotonic.plus(self.lease * 2 / 3));
        self.renew(&ending, now).await;
    }

    async fn renew(&self, held: &[Arc<Held>], now: Moment) {
        if held.is_empty() {
            return;
        }
        let until = now.wall.plus(self.lease);
        let leases: Vec<_> = held.iter().map(|held| held.lease).collect();
        let lost = match self.store.renew(self.worker, &leases, until).await {
            Ok(lost) => lost,
            Err(error) => {
                let error = crate::error_chain(&error);
                return warn!(
                    error,
                    leases = leases.len(),
                    "could not renew leases; trying again"
                );
            }
        };
        for held in held {
            if lost.contains(&held.lease) {
                held.is_lost.store(true, Ordering::Relaxed);
            } else {
                let until = now.monotonic.plus(self.lease);
                held.until.store(until.as_millis(), Ordering::Relaxed);
            }
        }
    }

    /// Returns true if a lease holds for at least `within`. A lease that seems to end sooner is
    /// renewed first, since another node may have taken over while this process was suspended.
    pub(super) async fn still_holds(&self, lease: &LeaseView, within: Duration) -> bool {
        let LeaseView(held) = lease;
        let now = self.moment();
        let needed = now.monotonic.plus(within);
        if !held.is_lost() && held.until() <= needed {
            self.renew(std::slice::from_ref(held), now).await;
        }
        !held.is_lost() && held.until() > needed
    }

    /// Renews leases in a loop of its own, even while the queue's loop waits for the store, until
    /// the dispatcher stops and nothing is in flight any more. The loop does not keep the
    /// dispatcher alive.
    pub(super) fn spawn_lease_renewal(self: &Arc<Self>, life: &Arc<Life>) {
        const SHORTEST: Duration = Duration::from_millis(50);
        let pause = (self.lease / 6).clamp(SHORTEST, crate::dispatcher::POLL_INTERVAL);
        let (weak, kept) = (Arc::downgrade(self), Arc::clone(life));
        life.supervise(Loop::Leases, move || {
            let (weak, life) = (weak.clone(), Arc::clone(&kept));
            async move {
                loop {
                    sleep(pause).await;
                    let Some(dispatcher) = weak.upgrade() else {
                        return;
                    };
                    if life.stop().is_cancelled() && dispatcher.leases.is_empty() {
                        return;
                    }
                    let now = dispatcher.moment();
                    let round = life.heartbeat(Loop::Leases).begin(now.monotonic);
                    dispatcher.renew_leases(now).await;
                    round.succeed();
                }
            }
        });
    }
}
