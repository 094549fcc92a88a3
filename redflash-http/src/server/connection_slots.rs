//! The open connections, up to a number: when there are as many, the longest silent one makes room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::Extensions;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The open connections.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    slots: Arc<Semaphore>,
    silent: Arc<Silent>,
}

/// The connections without a request that has arrived to its end.
#[derive(Debug, Default)]
struct Silent {
    queue: Mutex<Queue>,
    /// Notified when a connection falls silent.
    joined: Notify,
}

/// The silent connections in the order in which they fell silent.
#[derive(Debug, Default)]
struct Queue {
    next: u64,
    waiting: BTreeMap<u64, CancellationToken>,
}

/// The slot of one connection, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    silent: Arc<Silent>,
    /// The number in the queue; `None` while a request that has arrived to its end is under way.
    number: Mutex<Option<u64>>,
    evicted: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// A request under way; the connection is silent again when this is dropped.
#[derive(Debug)]
pub(crate) struct ActiveRequest(Arc<ConnectionSlot>);

impl ConnectionSlots {
    /// Room for so many connections.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most)),
            silent: Arc::default(),
        }
    }

    /// A slot for a connection that has been accepted, and has sent nothing yet.
    ///
    /// When all are taken, the connection that has been silent for longest is dropped. When none is
    /// silent, the next one that falls silent or ends makes room.
    pub(crate) async fn slot(&self) -> Arc<ConnectionSlot> {
        let permit = loop {
            // Registered before the queue is looked at, so that nothing that joins it is missed.
            let joined = self.silent.joined.notified();
            if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
                break permit;
            }
            if self.silent.evict() {
                break self.freed().await;
            }
            tokio::select! {
                permit = self.freed() => break permit,
                () = joined => {}
            }
        };
        let slot = ConnectionSlot {
            silent: Arc::clone(&self.silent),
            number: Mutex::new(None),
            evicted: CancellationToken::new(),
            _permit: permit,
        };
        slot.fall_silent();
        Arc::new(slot)
    }

    async fn freed(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.slots).acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }
}

/// Keeps the connection of a request whose key is known, however slowly the rest of it arrives.
pub(crate) fn keep(extensions: &Extensions) {
    if let Some(slot) = extensions.get::<Arc<ConnectionSlot>>() {
        slot.received();
    }
}

impl Silent {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the connection that has been silent for longest. Returns false if there is none.
    fn evict(&self) -> bool {
        let oldest = self.queue().waiting.pop_first();
        if let Some((_, evicted)) = &oldest {
            evicted.cancel();
        }
        oldest.is_some()
    }
}

impl ConnectionSlot {
    /// Ends when the connection has to make room.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Notes that the head of a request has arrived. Until the rest of it has, or its key is known, the
    /// connection makes room as silent ones do: strangers that never finish a request must not keep
    /// others out.
    pub(crate) fn begin(self: &Arc<Self>) -> ActiveRequest {
        self.leave_queue();
        self.fall_silent();
        ActiveRequest(Arc::clone(self))
    }

    /// Notes that a request has arrived to its end, or that its rest is waited for.
    pub(crate) fn received(&self) {
        self.leave_queue();
    }

    /// Returns true if a request is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.number().is_none()
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave_queue(&self) {
        if let Some(number) = self.number().take() {
            self.silent.queue().waiting.remove(&number);
        }
    }

    fn fall_silent(&self) {
        let mut queue = self.silent.queue();
        let number = queue.next;
        queue.next += 1;
        queue.waiting.insert(number, self.evicted.clone());
        drop(queue);
        *self.number() = Some(number);
        self.silent.joined.notify_waiters();
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.leave_queue();
    }
}

impl ActiveRequest {
    /// Notes that a request is answered, whether or not it has arrived to its end.
    pub(crate) fn answer(&self) {
        self.0.received();
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.leave_queue();
        self.0.fall_silent();
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
    async fn longest_silent_connection_makes_room() {
        let connections = ConnectionSlots::new(3);
        let busy = connections.slot().await;
        let _request = busy.begin();
        busy.received();
        let (old, young) = (connections.slot().await, connections.slot().await);
        let next = connections.slot();
        let mut next = pin!(next);
        assert!(poll!(next.as_mut()).is_pending());
        assert!(is_evicted(&old).await);
        assert!(!is_evicted(&busy).await && !is_evicted(&young).await);
        drop(old);
        next.await;
    }

    #[tokio::test]
    async fn connection_that_falls_silent_makes_room_for_one_that_waits() {
        let connections = ConnectionSlots::new(1);
        let slot = connections.slot().await;
        let request = slot.begin();
        slot.received();
        let mut next = pin!(connections.slot());
        assert!(poll!(next.as_mut()).is_pending());
        assert!(!is_evicted(&slot).await);
        drop(request);
        assert!(poll!(next.as_mut()).is_pending());
        assert!(is_evicted(&slot).await && !slot.is_busy());
        drop(slot);
        next.await;
    }

    #[tokio::test]
    async fn connection_with_half_a_request_makes_room() {
        let connections = ConnectionSlots::new(2);
        let (whole, half) = (connections.slot().await, connections.slot().await);
        let _requests = (whole.begin(), half.begin());
        whole.received();
        let next = connections.slot();
        let mut next = pin!(next);
        assert!(poll!(next.as_mut()).is_pending());
        assert!(is_evicted(&half).await && !is_evicted(&whole).await);
    }

    #[tokio::test]
    async fn connection_that_ends_makes_room_and_evicts_nobody() {
        let connections = ConnectionSlots::new(1);
        drop(connections.slot().await);
        let slot = connections.slot().await;
        assert!(!is_evicted(&slot).await);
    }
}
