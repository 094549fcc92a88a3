//! What is to be sent, what was sent, and what became of it.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;

use super::{
    Backlog, ClaimRequest, ClockStep, ClosedLane, DeliveryRecord, DueQueue, Enqueue, EnqueueMore,
    Enqueued, FanOut, LogFilter, LogPage, Nodes, Overdue, ReceiptEffect, Recent, Serving,
    StoreError,
};
use crate::{
    Delivery, DeliveryId, HeldLease, Idempotency, Job, Lane, Lease, Notification, NotificationId,
    Receipt, Settled, Settlement, Slug, Timestamp, WorkerId,
};

/// The queue, the log and the receipts' target.
///
/// Time is always an argument. Costs grow with the work asked for, never with the history.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Records a notification with its deliveries, or the first of them, durably, all or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when nothing was recorded, [`StoreError::Unknown`] when the
    /// commit failed and nobody knows.
    async fn enqueue(&self, order: &Enqueue<'_>) -> Result<Enqueued, StoreError>;

    /// Records the next deliveries of an unfinished notification, durably, all or nothing. Returns false,
    /// and records nothing, if these are not the next ones: somebody else has recorded them.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue). What was recorded without the answer having arrived is not recorded
    /// again.
    async fn enqueue_more(&self, order: &EnqueueMore<'_>) -> Result<bool, StoreError>;

    /// Returns every notification of which deliveries are still to be recorded, oldest first.
    async fn unfinished(&self) -> Result<Vec<FanOut>, StoreError>;

    /// Returns what was recorded under an idempotency key and is still remembered, without recording
    /// anything: [`Enqueued::Repeat`] for the same request, [`Enqueued::Mismatch`] for another.
    ///
    /// * `raised_by` - the API key that the idempotency key belongs to.
    async fn promised(
        &self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Enqueued>, StoreError>;

    /// Takes the right to dispatch from the store, until the result is dropped. Where only one engine may
    /// dispatch, no other can take it meanwhile, in this process or in another.
    ///
    /// * `worker` - the name under which the engine leases.
    ///
    /// # Errors
    ///
    /// [`StoreError::Served`] when somebody else has it.
    fn serve(&self, worker: WorkerId) -> Result<Serving, StoreError>;

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
    async fn claim_due(
        &self,
        lease: &Lease,
        wants: &[ClaimRequest],
    ) -> Result<Vec<Job>, StoreError>;

    /// Ends leases and logs the attempts that were made, durably. Answers in the order of the
    /// settlements.
    ///
    /// A settlement that was recorded before, without the answer having arrived, changes nothing.
    /// A lease that has passed to another grant, also one to the same worker, is [`Settled::Lost`]:
    /// the attempt is logged all the same. A success still ends a delivery that is queued for a
    /// repeat, which is [`Settled::Late`].
    async fn settle(
        &self,
        worker: WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<Settled>, StoreError>;

    /// Renews leases in one statement, so that they end at `until`. Returns those that are held no
    /// longer: they were settled, taken back, or granted anew.
    async fn renew(
        &self,
        worker: WorkerId,
        held: &[HeldLease],
        until: Timestamp,
    ) -> Result<Vec<HeldLease>, StoreError>;

    /// Takes back what a dispatcher left behind without an outcome: leases that ended before `now`,
    /// and, with `except`, every lease of any other worker (for a store that only one process may
    /// dispatch from).
    ///
    /// * `running` - leases of deliveries that the caller is still handing over: they are never taken
    ///   back, whatever the clock says.
    ///
    /// Each gets an attempt of outcome `Unknown` in its log and is due at once; one taken back for
    /// the [`MAX_CLAIMS`]th time in a row is quarantined. Returns them as they are now.
    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
        running: &[HeldLease],
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Puts deliveries whose receipt was due before `now` back into the queue, for another gateway
    /// than theirs, each with an attempt of outcome `Unknown` in its log. At most `limit`; returns how
    /// many.
    async fn requeue_unconfirmed(
        &self,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<u64, StoreError>;

    /// Gives up queued deliveries that have waited for too long, which end now. At most `limit`; returns
    /// them as they are now.
    async fn give_up(
        &self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Moves with the clock that the only dispatcher's machine goes by: what is queued and was not due
    /// yet, what this worker has leased, and the receipts that are waited for. Returns how many deliveries
    /// were moved.
    async fn follow_clock(&self, step: &ClockStep, worker: WorkerId) -> Result<u64, StoreError>;

    /// Makes due what a clock that was wrong has put too far ahead: queued deliveries that are due after
    /// `latest`, and receipts that are waited for longer than that, are due `now`. A first attempt that
    /// lies in the future of such a delivery counts as made now. Returns how many deliveries were moved.
    async fn bring_forward(&self, now: Timestamp, latest: Timestamp) -> Result<u64, StoreError>;

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
    ///
    /// * `only` - this one alone.
    async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// One notification with its deliveries, in the order of the plan.
    async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, StoreError>;

    /// The notifications that a filter lets through, newest first, with their deliveries. Where it
    /// [looks through](LogFilter::looks_through) the log, at most
    /// [`LOOKED_THROUGH`](LogFilter::LOOKED_THROUGH) notifications.
    async fn log(&self, filter: &LogFilter) -> Result<LogPage, StoreError>;

    /// How what was raised since a time went: its newest [`COUNTED`](Recent::COUNTED) deliveries and as
    /// many of its attempts.
    ///
    /// * `step` - how long the times are by which attempts are counted, each beginning at a multiple
    ///   of it since 1970.
    async fn recent(&self, since: Timestamp, step: Duration) -> Result<Recent, StoreError>;

    /// How much waits. The cost may grow with what waits, never with the history.
    async fn backlog(&self) -> Result<Backlog, StoreError>;

    /// Counts the waiting deliveries of each lane, in the order of the lanes.
    async fn waiting(&self) -> Result<Vec<(Lane, u64)>, StoreError>;

    /// Removes finished notifications raised before a time, at most `limit`. What still has a
    /// delivery to be sent or to be recorded is never removed. Returns how many.
    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError>;

    /// Makes one real, durable commit that changes nothing else.
    async fn probe(&self, now: Timestamp) -> Result<(), StoreError>;
}
