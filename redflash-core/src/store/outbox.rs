//! The outbox: the queue and log of deliveries.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;

use super::{
    Backlog, ClaimRequest, ClockStep, ClosedLane, DeliveryRecord, DueQueue, Enqueue, EnqueueMore,
    Enqueued, FanOut, LogFilter, LogPage, Nodes, Overdue, ReceiptEffect, Recent, Serving,
    StoreError,
};
use crate::clock::Timestamp;
use crate::delivery::{Delivery, HeldLease, Job, Lane, Lease, Receipt, Settled, Settlement};
use crate::message::Idempotency;
use crate::model::{DeliveryId, NotificationId, Slug, WorkerId};
use crate::plan::Notification;

/// The queue and log of deliveries, which receipts update.
///
/// Time is always an argument. Costs grow with the requested work, never with the history.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Records a notification with its deliveries, or the first of them: durable and atomic.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if nothing was recorded, [`StoreError::Unknown`] if the commit
    /// failed with an unknown outcome.
    async fn enqueue(&self, order: &Enqueue<'_>) -> Result<Enqueued, StoreError>;

    /// Records the next deliveries of an unfinished notification: durable and atomic. Returns
    /// false, and records nothing, if another process has already recorded these.
    ///
    /// # Errors
    ///
    /// As [`enqueue`](Self::enqueue). A call that is repeated because its answer was lost records
    /// nothing again.
    async fn enqueue_more(&self, order: &EnqueueMore<'_>) -> Result<bool, StoreError>;

    /// Returns the notifications with deliveries still to record, oldest first.
    async fn unfinished(&self) -> Result<Vec<FanOut>, StoreError>;

    /// Returns the notification recorded under an idempotency key that is still retained, without
    /// recording anything: [`Enqueued::Repeat`] for the same request, [`Enqueued::Mismatch`] for
    /// another.
    ///
    /// * `raised_by` - the API key that the idempotency key belongs to.
    async fn find_repeat(
        &self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Enqueued>, StoreError>;

    /// Takes the right to dispatch from the store, until the result is dropped. If only one engine
    /// may dispatch, no other can take it meanwhile, in this process or in another.
    ///
    /// * `worker` - the holder of the engine's leases.
    ///
    /// # Errors
    ///
    /// [`StoreError::Served`] if another engine has it.
    fn serve(&self, worker: WorkerId) -> Result<Serving, StoreError>;

    /// Registers a dispatcher that begins to lease.
    ///
    /// A store of several nodes uses this to find leases that have lost their holder.
    async fn join(&self, worker: WorkerId) -> Result<(), StoreError> {
        let _ = worker;
        Ok(())
    }

    /// Waits until another process may have queued something. A store that gets no notice of it
    /// never returns; the queue is polled once a second in any case.
    async fn wait_for_work(&self) {
        std::future::pending::<()>().await;
    }

    /// Reports to the other nodes which gateways do not work from here, and returns their reports.
    async fn exchange(
        &self,
        worker: WorkerId,
        closed: &[ClosedLane],
        now: Timestamp,
    ) -> Result<Nodes, StoreError> {
        let _ = (worker, closed, now);
        Ok(Nodes::default())
    }

    /// Returns every queue that has a delivery in state `Queued`, with the time at which its first
    /// is due.
    ///
    /// The cost grows with the number of queues, not with their length.
    async fn due_queues(&self) -> Result<Vec<DueQueue>, StoreError>;

    /// Leases deliveries that are due, earliest first within each queue. No two leases overlap.
    async fn claim_due(
        &self,
        lease: &Lease,
        wants: &[ClaimRequest],
    ) -> Result<Vec<Job>, StoreError>;

    /// Ends leases and logs their attempts, durably. Returns the results in the order of the
    /// settlements.
    ///
    /// Repeating a settlement because its answer was lost changes nothing. For a lease that has
    /// passed to another grant, also of the same worker, the result is [`Settled::Lost`]: the
    /// attempt is logged all the same. A success still ends a delivery that is queued for a repeat,
    /// which is [`Settled::Late`].
    async fn settle(
        &self,
        worker: WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<Settled>, StoreError>;

    /// Renews leases in one statement, so that they end at `until`. Returns the leases that no
    /// longer hold: they were settled, taken back, or granted again.
    async fn renew(
        &self,
        worker: WorkerId,
        held: &[HeldLease],
        until: Timestamp,
    ) -> Result<Vec<HeldLease>, StoreError>;

    /// Takes back deliveries that a dispatcher left without an outcome: those whose lease ended
    /// before `now`, and, with `except`, those of any other worker (for a store that only one
    /// process may dispatch from).
    ///
    /// * `running` - leases of deliveries that the caller is still handing over: they are never
    ///   taken back, whatever the clock shows.
    ///
    /// Each gets an attempt with outcome `Unknown` in its log and is due at once; one taken back
    /// for the [`MAX_CLAIMS`](super::MAX_CLAIMS)th time in a row is quarantined. Returns them as
    /// they are now.
    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
        running: &[HeldLease],
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Returns deliveries whose receipt was due before `now` to the queue, for another gateway,
    /// each with an attempt with outcome `Unknown` in its log. At most `limit`; returns their
    /// number.
    async fn requeue_unconfirmed(
        &self,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<u64, StoreError>;

    /// Gives up queued deliveries that are overdue, which end now. At most `limit`; returns them as
    /// they are now.
    async fn give_up(
        &self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Follows a step of the clock on the only dispatcher's machine: moves queued deliveries that
    /// were not due yet, this worker's leases, and the deadlines of receipts. Returns the number of
    /// deliveries moved.
    async fn follow_clock(&self, step: &ClockStep, worker: WorkerId) -> Result<u64, StoreError>;

    /// Corrects times that a wrong clock has put too far ahead: queued deliveries that are due
    /// after `latest`, and receipts whose deadline is later, are due `now`. A future first attempt
    /// of such a delivery counts as made now. Returns the number of deliveries moved.
    async fn bring_forward(&self, now: Timestamp, latest: Timestamp) -> Result<u64, StoreError>;

    /// Applies a gateway's receipt. Receipts repeat, arrive in any order, and may arrive before
    /// [`settle`](Self::settle); they only move a state forward: `Sent` to `Delivered` or `Failed`,
    /// `Failed` and `Quarantined` to `Delivered`, and `Queued` to `Delivered`, which cancels the
    /// repeat. A message in parts with a receipt each has arrived when all parts have.
    ///
    /// A receipt that names the delivery may arrive at any time; it is ignored for a delivery of
    /// another gateway. One that names only the gateway's message id is matched once that id is
    /// known.
    async fn record_receipt(
        &self,
        gateway: &Slug,
        receipt: &Receipt,
        now: Timestamp,
    ) -> Result<ReceiptEffect, StoreError>;

    /// Returns a notification's failed, cancelled, suppressed and quarantined deliveries to the
    /// queue, due now. Returns their number.
    ///
    /// * `only` - restricts it to this delivery.
    async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Returns a notification with its deliveries, in the order of the plan.
    async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, StoreError>;

    /// Returns the notifications that match a filter, newest first, with their deliveries. If the
    /// filter needs a [scan](LogFilter::needs_scan), it reads at most
    /// [`LOOKED_THROUGH`](LogFilter::LOOKED_THROUGH) notifications.
    async fn log(&self, filter: &LogFilter) -> Result<LogPage, StoreError>;

    /// Returns statistics of the raises since a time: the newest [`COUNTED`](Recent::COUNTED)
    /// deliveries and as many attempts.
    ///
    /// * `step` - length of the periods by which attempts are counted, each starting at a multiple
    ///   of it since 1970.
    async fn recent(&self, since: Timestamp, step: Duration) -> Result<Recent, StoreError>;

    /// Returns the size of the queue. The cost may grow with the queue, never with the history.
    async fn backlog(&self) -> Result<Backlog, StoreError>;

    /// Returns the number of queued deliveries of each lane, in the order of the lanes.
    async fn waiting(&self) -> Result<Vec<(Lane, u64)>, StoreError>;

    /// Removes finished notifications raised before a time, at most `limit`. A notification with
    /// deliveries to send or to record is never removed. Returns the number removed.
    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError>;

    /// Makes one durable commit that changes nothing else.
    async fn probe(&self, now: Timestamp) -> Result<(), StoreError>;
}
