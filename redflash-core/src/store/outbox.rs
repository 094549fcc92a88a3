//! What is to be sent, what was sent, and what became of it.

use std::num::NonZeroU32;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::{
    Attempt, Delivery, DeliveryId, DeliveryState, Idempotency, Job, Lane, Lease, Notification,
    NotificationId, Receipt, Settled, Settlement, Slug, Timestamp, WorkerId,
};

/// After how many claims in a row without an outcome a delivery is set aside.
pub const MAX_CLAIMS: u32 = 3;

/// A notification to be recorded with its deliveries.
#[derive(Clone, Copy, Debug)]
pub struct Enqueue<'a> {
    /// What was raised, and what was decided.
    pub notification: &'a Notification,
    /// Its deliveries, in the order of the plan. Those in state `Queued` wait for a claim; those in
    /// state `Sending` are born leased.
    pub deliveries: &'a [Delivery],
    /// The lease of those that are born leased, to be settled by its holder like claimed ones.
    pub lease: Option<&'a Lease>,
    /// Looked up among what was raised by the same key in the last [`KEPT`](Idempotency::KEPT); of
    /// many at once under one key, exactly one is new.
    pub idempotency: Option<&'a Idempotency>,
    /// The [directory's version](super::Directory::version) that the plan was made from: with
    /// another, nothing is recorded. `None` to record it whatever the directory says now.
    pub planned_at: Option<u64>,
}

/// What became of an enqueue.
#[derive(Clone, Debug, PartialEq)]
pub enum Enqueued {
    /// It was recorded.
    New,
    /// The same request was recorded before, as this notification; nothing was added.
    Repeat(Box<Notification>),
    /// Another request was recorded under the same idempotency key; nothing was added.
    Mismatch,
    /// The directory has changed since the plan was made; nothing was added.
    Outdated,
}

/// What shares turns: the deliveries of one lane that were raised with one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    /// The lane.
    pub lane: Lane,
    /// The key; `None` for what was raised in-process or by an operator.
    pub raised_by: Option<Slug>,
}

/// A queue with something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueQueue {
    /// The queue.
    pub queue: Queue,
    /// When the first of its deliveries is due, which may be in the future.
    pub due_at: Timestamp,
}

/// A gateway that takes nothing in one lane until some time, as a node has found out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClosedLane {
    /// The gateway.
    pub gateway: Slug,
    /// The lane.
    pub lane: Lane,
    /// When it may be tried again.
    pub until: Timestamp,
}

/// What the nodes of one store know together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// How many dispatch from the store, this one included.
    pub count: NonZeroU32,
    /// What the others have found closed.
    pub closed: Vec<ClosedLane>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self {
            count: NonZeroU32::MIN,
            closed: Vec::new(),
        }
    }
}

/// How many deliveries of a queue are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The queue.
    pub queue: Queue,
    /// At most so many.
    pub limit: NonZeroU32,
}

/// What a receipt did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptEffect {
    /// It moved this delivery forward, or added a price.
    Applied(DeliveryId),
    /// It said nothing new about this delivery.
    Known(DeliveryId),
    /// No delivery of that gateway is known by it.
    Unmatched,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Deliveries waiting for their turn or their next attempt.
    pub queued: u64,
    /// Deliveries leased to a dispatcher.
    pub sending: u64,
    /// When the first of the waiting ones was or is due.
    pub oldest_due: Option<Timestamp>,
}

/// A delivery with every attempt that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The attempts, first to last.
    pub attempts_made: Vec<Attempt>,
}

/// Which notifications a log query wants, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    /// Only those with a delivery in this state.
    pub state: Option<DeliveryState>,
    /// Only those with a delivery to this contact.
    pub contact: Option<Slug>,
    /// Only those raised at this time or later.
    pub since: Option<Timestamp>,
    /// Only those made before this one: the last of the page before.
    pub before: Option<NotificationId>,
    /// At most so many.
    pub limit: NonZeroU32,
}

/// The queue, the log and the receipts' target.
///
/// Time is always an argument. Costs grow with the work asked for, never with the history.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Records a notification with all of its deliveries, durably, all or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when nothing was recorded, [`StoreError::Unknown`] when the
    /// commit failed and nobody knows.
    async fn enqueue(&self, order: &Enqueue<'_>) -> Result<Enqueued, StoreError>;

    /// A dispatcher of this name begins to lease.
    ///
    /// A store of several nodes tells by this which leases have lost their holder.
    async fn join(&self, worker: WorkerId) -> Result<(), StoreError> {
        let _ = worker;
        Ok(())
    }

    /// Waits until another process may have put something into the queue. A store that is not told
    /// of it never ends waiting; the queue is looked at once a second in any case.
    async fn news(&self) {
        std::future::pending::<()>().await;
    }

    /// Tells the other nodes which gateways do not work from here, and returns what they say.
    async fn exchange(
        &self,
        worker: WorkerId,
        closed: &[ClosedLane],
        now: Timestamp,
    ) -> Result<Nodes, StoreError> {
        let _ = (worker, closed, now);
        Ok(Nodes::default())
    }

    /// Every queue that has a delivery in state `Queued`, with the time at which its first is due.
    ///
    /// The cost grows with the number of queues, not with what stands in them.
    async fn due_queues(&self) -> Result<Vec<DueQueue>, StoreError>;

    /// Leases deliveries that are due, earliest first within each queue. No two leases overlap.
    async fn claim_due(&self, lease: &Lease, wants: &[Want]) -> Result<Vec<Job>, StoreError>;

    /// Ends leases and logs the attempts that were made, durably. Answers in the order of the
    /// settlements.
    ///
    /// A settlement that was recorded before, without the answer having arrived, changes nothing.
    /// A lease that has passed to another is [`Settled::Lost`]: the attempt is logged all the same,
    /// and a success still ends a delivery that is queued for a repeat.
    async fn settle(
        &self,
        worker: WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<Settled>, StoreError>;

    /// Takes back what a dispatcher left behind without an outcome: leases that ended before `now`,
    /// and, with `except`, every lease of any other worker (for a store that only one process may
    /// dispatch from).
    ///
    /// Each gets an attempt of outcome `Unknown` in its log and is due at once; one taken back for
    /// the [`MAX_CLAIMS`]th time in a row is quarantined. Returns how many.
    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
    ) -> Result<u64, StoreError>;

    /// Puts deliveries whose receipt was due before `now` back into the queue, for another gateway
    /// than theirs, each with an attempt of outcome `Unknown` in its log. At most `limit`; returns how
    /// many.
    async fn requeue_unconfirmed(
        &self,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<u64, StoreError>;

    /// Applies a gateway's receipt. Receipts repeat, come in any order, and may come before
    /// [`settle`](Self::settle); they only move a state forward: `Sent` to `Delivered` or `Failed`,
    /// `Failed` and `Quarantined` to `Delivered`, and `Queued` to `Delivered`, which cancels the
    /// repeat. A message in parts with a receipt each has arrived when all of them have.
    ///
    /// One that names the delivery may come at any time; it is ignored for a delivery that is not
    /// this gateway's. One that names only the gateway's id is matched once that id is known.
    async fn record_receipt(
        &self,
        gateway: &Slug,
        receipt: &Receipt,
        now: Timestamp,
    ) -> Result<ReceiptEffect, StoreError>;

    /// Puts a notification's deliveries that failed, were cancelled, suppressed or quarantined back
    /// into the queue, due now. Returns how many.
    async fn resend(&self, id: NotificationId, now: Timestamp) -> Result<u64, StoreError>;

    /// One notification with its deliveries, in the order of the plan.
    async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, StoreError>;

    /// The notifications that a filter lets through, newest first, with their deliveries.
    async fn log(
        &self,
        filter: &LogFilter,
    ) -> Result<Vec<(Notification, Vec<Delivery>)>, StoreError>;

    /// How much waits. The cost may grow with what waits, never with the history.
    async fn backlog(&self) -> Result<Backlog, StoreError>;

    /// Removes finished notifications raised before a time, at most `limit`. What still has a
    /// delivery to be sent is never removed. Returns how many.
    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError>;

    /// Makes one real, durable commit that changes nothing else.
    async fn probe(&self, now: Timestamp) -> Result<(), StoreError>;
}
