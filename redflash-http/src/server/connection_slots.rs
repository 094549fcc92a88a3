//! The limit on open connections. At the limit, the connection that has been idle for longest is evicted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::Extensions;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The slots of all open connections.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    slots: Arc<Semaphore>,
    idle: Arc<Idle>,
}

/// The connections without a completely received request.
#[derive(Debug, Default)]
struct Idle {
    queue: Mutex<Queue>,
    /// Notified when a connection becomes idle.
    joined: Notify,
}

/// The idle connections in the order in which they became idle.
#[derive(Debug, Default)]
struct Queue {
    next: u64,
    waiting: BTreeMap<u64, CancellationToken>,
}

/// The slot of one connection, released on drop.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    idle: Arc<Idle>,
    /// The number in the queue; `None` while a completely received request is in progress.
    number: Mutex<Option<u64>>,
    evicted: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// A request in progress. On drop, its connection is idle again.
#[derive(Debug)]
pub(crate) struct ActiveRequest(Arc<ConnectionSlot>);

impl ConnectionSlots {
    /// Creates slots for a number of connections.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most)),
            idle: Arc::default(),
        }
    }

    /// Returns a slot for an accepted connection that has not sent anything yet.
    ///
    /// If all are taken, this evicts the connection that has been idle for longest. If none is idle, it
    /// waits for one to become idle or to end.
    pub(crate) async fn acquire(&self) -> Arc<ConnectionSlot> {
        let permit = loop {
            // Registered before the queue is checked, so that no notification is missed.
            let joined = self.idle.joined.notified();
            if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
                break permit;
            }
            if self.idle.evict() {
                break self.freed().await;
            }
            tokio::select! {
                permit = self.freed() => break permit,
                () = joined => {}
            }
        };
        let slot = ConnectionSlot {
            idle: Arc::clone(&self.idle),
            number: Mutex::new(None),
            evicted: CancellationToken::new(),
            _permit: permit,
        };
        slot.become_idle();
        Arc::new(slot)
    }

    async fn freed(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.slots).acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }
}

/// Protects the connection of a request with a valid key from eviction, however slowly the rest of it
/// arrives.
pub(crate) fn keep(extensions: &Extensions) {
    if let Some(slot) = extensions.get::<Arc<ConnectionSlot>>() {
        slot.received();
    }
}

impl Idle {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Evicts the connection that has been idle for longest. Returns false if there is none.
    fn evict(&self) -> bool {
        let oldest = self.queue().waiting.pop_first();
        if let Some((_, evicted)) = &oldest {
            evicted.cancel();
        }
        oldest.is_some()
    }
}

impl ConnectionSlot {
    /// Completes when the connection is evicted.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Records that the head of a request has arrived. The connection counts as idle until the rest has
    /// arrived or the key is known: strangers with unfinished requests must not keep others out.
    pub(crate) fn begin(self: &Arc<Self>) -> ActiveRequest {
        self.leave_queue();
        self.become_idle();
        ActiveRequest(Arc::clone(self))
    }

    /// Records that a request was received completely, or that its rest is worth waiting for.
    pub(crate) fn received(&self) {
        self.leave_queue();
    }

    /// Returns true if a request is in progress.
    pub(crate) fn is_busy(&self) -> bool {
        self.number().is_none()
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave_queue(&self) {
        if let Some(number) = self.number().take() {
            self.idle.queue().waiting.remove(&number);
        }
    }

    fn become_idle(&self) {
        let mut queue = self.idle.queue();
        let number = queue.next;
        queue.next += 1;
        queue.waiting.insert(number, self.evicted.clone());
        drop(queue);
        *self.number() = Some(number);
        self.idle.joined.notify_waiters();
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.leave_queue();
    }
}

impl ActiveRequest {
    /// Records that the response has begun, whether or not the request was received completely.
    pub(crate) fn responded(&self) {
        self.0.received();
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.leave_queue();
        self.0.become_idle();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    async fn is_evicted(slot: &ConnectionSlot) -> bool {
        poll!(pin!(slot.evicted())).is_ready()
    }

    #[tokio::test]
    async fn evicts_longest_idle_connection() {
        let connections = ConnectionSlots::new(3);
        let busy = connections.acquire().await;
        let _request = busy.begin();
        busy.received();
        let (old, young) = (connections.acquire().await, connections.acquire().await);
        let next = connections.acquire();
        let mut next = pin!(next);
        assert!(poll!(next.as_mut()).is_pending());
        assert!(is_evicted(&old).await);
        assert!(!is_evicted(&busy).await && !is_evicted(&young).await);
        drop(old);
        next.await;
    }

    #[tokio::test]
    async fn newly_idle_connection_makes_room_for_waiting_one() {
        let connections = ConnectionSlots::new(1);
        let slot = connections.acquire().await;
        let request = slot.begin();
        slot.received();
        let mut next = pin!(connections.acquire());
        assert!(poll!(next.as_mut()).is_pending());
        assert!(!is_evicted(&slot).await);
        drop(request);
        assert!(poll!(next.as_mut()).is_pending());
        assert!(is_evicted(&slot).await && !slot.is_busy());
        drop(slot);
        next.await;
    }

    #[tokio::test]
    async fn evicts_connection_with_unfinished_request() {
        let connections = ConnectionSlots::new(2);
        let (whole, half) = (connections.acquire().await, connections.acquire().await);
        let _requests = (whole.begin(), half.begin());
        whole.received();
        let next = connections.acquire();
        let mut next = pin!(next);
        assert!(poll!(next.as_mut()).is_pending());
        assert!(is_evicted(&half).await && !is_evicted(&whole).await);
    }

    #[tokio::test]
    async fn ended_connection_makes_room_without_eviction() {
        let connections = ConnectionSlots::new(1);
        drop(connections.acquire().await);
        let slot = connections.acquire().await;
        assert!(!is_evicted(&slot).await);
    }
}
