//! What is to be sent, what was sent, and what became of it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{EnqueueMore, FanOut, Serving, StoreError};
use crate::{
    Attempt, AttemptOutcome, ChannelKind, Delivery, DeliveryId, DeliveryState, HeldLease,
    Idempotency, Job, Lane, Lease, Notification, NotificationId, Receipt, Settled, Settlement,
    Slug, Target, Timestamp, WorkerId,
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
    /// Number of deliveries after these that [`enqueue_more`](Outbox::enqueue_more) records later. Until
    /// then the store keeps the notification among its [unfinished](Outbox::unfinished) ones.
    pub unqueued: u32,
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
pub struct ClaimRequest {
    /// The queue.
    pub queue: Queue,
    /// At most so many.
    pub limit: NonZeroU32,
}

/// Deliveries that have waited in the queue for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Those of a channel that were first attempted before a time.
    Attempted {
        /// The channel.
        channel: ChannelKind,
        /// The time.
        before: Timestamp,
    },
    /// Those of a lane that were raised before a time and never attempted.
    Waiting {
        /// The lane.
        lane: Lane,
        /// The time.
        before: Timestamp,
        /// The reason why they waited.
        why: String,
    },
}

/// The clock on the wall was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// The time that it would show.
    pub before: Timestamp,
    /// The time that it shows.
    pub after: Timestamp,
}

impl ClockStep {
    /// Returns how far the clock was set forward, in milliseconds; negative if it was set back.
    pub const fn by(&self) -> i64 {
        self.after
            .as_millis()
            .saturating_sub(self.before.as_millis())
    }

    /// The earlier of both times: what is later than it was not due yet.
    pub fn earlier(&self) -> Timestamp {
        self.before.min(self.after)
    }
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
    /// Deliveries waiting for their turn or their next attempt, and those still to be recorded.
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
    /// Only those with a delivery on this channel.
    pub channel: Option<ChannelKind>,
    /// Only those with a delivery that this gateway has, or had last.
    pub gateway: Option<Slug>,
    /// Only those raised at this target.
    pub target: Option<Target>,
    /// Only those with this text in their name, words or recipients, in any case of ASCII letters.
    pub text: Option<String>,
    /// Only those raised at this time or later.
    pub since: Option<Timestamp>,
    /// Only those raised before this time.
    pub until: Option<Timestamp>,
    /// Only those made before this one: the last of the page before.
    pub before: Option<NotificationId>,
    /// At most so many.
    pub limit: NonZeroU32,
}

impl LogFilter {
    /// How many notifications one query looks through for what no index knows: channel, gateway,
    /// target, text, and what most are: sent or delivered.
    pub const LOOKED_THROUGH: u32 = 5_000;

    /// The newest so many, whatever they are.
    pub const fn newest(limit: NonZeroU32) -> Self {
        Self {
            state: None,
            contact: None,
            channel: None,
            gateway: None,
            target: None,
            text: None,
            since: None,
            until: None,
            before: None,
            limit,
        }
    }

    /// Whether it asks for something that no index knows, or that most have.
    pub fn looks_through(&self) -> bool {
        self.channel.is_some()
            || self.gateway.is_some()
            || self.target.is_some()
            || self.text.is_some()
            || self.state.is_some_and(Self::is_usual)
    }

    /// Whether most deliveries come to stand in a state, so that an index of it would serve nobody.
    pub const fn is_usual(state: DeliveryState) -> bool {
        matches!(state, DeliveryState::Sent | DeliveryState::Delivered)
    }

    /// Whether it lets a notification through, [`limit`](Self::limit) apart.
    pub fn lets(&self, notification: &Notification, deliveries: &[Delivery]) -> bool {
        let any = |wanted: &dyn Fn(&Delivery) -> bool| deliveries.iter().any(wanted);
        let at = notification.raised_at;
        self.before.is_none_or(|before| notification.id < before)
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until)
            && self.state.is_none_or(|state| any(&|d| d.state == state))
            && (self.contact.as_ref()).is_none_or(|contact| any(&|d| d.contact == *contact))
            && (self.channel.as_ref()).is_none_or(|channel| any(&|d| d.channel == *channel))
            && (self.gateway.as_ref())
                .is_none_or(|gateway| any(&|d| d.gateway.as_ref() == Some(gateway)))
            && (self.target.as_ref()).is_none_or(|target| notification.target() == target)
            && (self.text.as_ref()).is_none_or(|text| notification.mentions(text))
    }
}

/// A page of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogPage {
    /// Notifications with their deliveries, newest first: at most as many as were asked for. Fewer, or
    /// none, are no sign that there are no more.
    pub entries: Vec<(Notification, Vec<Delivery>)>,
    /// What to go on [before](LogFilter::before); `None` at the end of the log.
    pub next: Option<NotificationId>,
}

/// How the last hours went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// How many deliveries stand in each state.
    pub states: BTreeMap<DeliveryState, u64>,
    /// What came of attempts, by gateway and time.
    pub outcomes: Vec<OutcomeCount>,
    /// Whether there was more than is counted at most.
    pub cut: bool,
}

/// How often an attempt through one gateway came out in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCount {
    /// The gateway; `None` for attempts that a crash left without one.
    pub gateway: Option<Slug>,
    /// The beginning of the time in which the attempts ended.
    pub at: Timestamp,
    /// What came of them.
    pub outcome: AttemptOutcome,
    /// How many.
    pub count: u64,
}

impl Recent {
    /// How many deliveries, and how many attempts, are counted at most: the newest.
    pub const COUNTED: u32 = 20_000;
}

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
