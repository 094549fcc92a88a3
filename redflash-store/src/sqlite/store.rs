//! The traits, on SQLite.

use std::num::NonZeroU32;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{
    Delivery, HeldLease, Job, Lane, Lease, Receipt, Settled, Settlement,
};
use redflash_core::inbound::Inbound;
use redflash_core::message::Idempotency;
use redflash_core::model::{
    Address, ApiKey, ChannelKind, Contact, DeliveryId, Event, Group, KeyHash, NotificationId, Slug,
    Target, TargetView, User, WorkerId,
};
use redflash_core::plan::Notification;
use redflash_core::store::{
    Alarm, Allowance, Backlog, ClaimRequest, ClockStep, DeliveryRecord, Directory, DueQueue, Edit,
    Enqueue, EnqueueMore, Enqueued, FanOut, InboundFilter, Inbox, LogFilter, LogPage, Meter,
    Outbox, Overdue, ReceiptEffect, Recent, Serving, Spent, StoreError,
};

use super::SqliteStore;
use super::lock::{LockError, ServerLock};
use super::outbox::{SettledRows, claim_due, enqueue, queue_rows, renew};
use super::query::set_aside::set_queue_aside;
use super::query::{
    count, directory, fan_out, inbox, log, meter, outbox, overdue, receipt, recent, save, user,
};
use super::run::now as run;
use crate::copy::Counts;
use crate::row::delivery::lost;
use crate::row::notification::{IdempotencyRow, MoreRows, NewRows};

impl SqliteStore {
    /// Returns the number of entries.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be read.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        self.readers.long(|conn| run(count::counts(conn))).await
    }
}

#[async_trait]
impl Directory for SqliteStore {
    async fn version(&self) -> Result<u64, StoreError> {
        self.readers.read(|conn| run(directory::version(conn)))
    }

    async fn view(&self, target: &Target) -> Result<Option<TargetView>, StoreError> {
        let target = target.clone();
        if matches!(target, Target::Contact(_)) {
            let view = |conn: &mut _| run(directory::view(conn, &target));
            return self.readers.snapshot(view);
        }
        // There may be many behind it. What was read is kept until the directory changes.
        self.readers
            .long(move |conn| run(directory::view(conn, &target)))
            .await
    }

    async fn contact(&self, slug: &Slug) -> Result<Option<Contact>, StoreError> {
        self.readers
            .snapshot(|conn| run(directory::contact(conn, slug)))
    }

    async fn group(&self, slug: &Slug) -> Result<Option<Group>, StoreError> {
        self.readers
            .snapshot(|conn| run(directory::group(conn, slug)))
    }

    async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError> {
        self.readers
            .snapshot(|conn| run(directory::event(conn, slug)))
    }

    async fn api_key(&self, slug: &Slug) -> Result<Option<ApiKey>, StoreError> {
        self.readers
            .read(|conn| run(directory::api_key(conn, slug)))
    }

    async fn api_key_by_hash(&self, hash: &KeyHash) -> Result<Option<ApiKey>, StoreError> {
        self.readers
            .read(|conn| run(directory::api_key_by_hash(conn, hash)))
    }

    async fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        self.readers
            .long(|conn| run(directory::contacts(conn)))
            .await
    }

    async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        self.readers.long(|conn| run(directory::groups(conn))).await
    }

    async fn events(&self) -> Result<Vec<Event>, StoreError> {
        self.readers.long(|conn| run(directory::events(conn))).await
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.readers
            .long(|conn| run(directory::api_keys(conn)))
            .await
    }

    async fn user(&self, slug: &Slug) -> Result<Option<User>, StoreError> {
        self.readers.read(|conn| run(user::user(conn, slug)))
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.readers.long(|conn| run(user::users(conn))).await
    }

    async fn edit(&self, edit: &Edit<'_>) -> Result<(), StoreError> {
        let (steps, changes) = (edit.steps.to_vec(), edit.changes.to_vec());
        let version = edit.version;
        let work = move |conn: &mut _| {
            let edit = Edit {
                steps: &steps,
                version,
                changes: &changes,
            };
            run(save::edit(conn, &edit))
        };
        self.writer.write(work).await.map(drop)
    }

    async fn contacts_at(
        &self,
        channel: &ChannelKind,
        address: &Address,
    ) -> Result<Vec<Contact>, StoreError> {
        self.readers
            .snapshot(|conn| run(directory::contacts_at(conn, channel, address)))
    }

    async fn set_opt_out(
        &self,
        channel: &ChannelKind,
        address: &Address,
        reason: Option<&str>,
    ) -> Result<Vec<Slug>, StoreError> {
        let (channel, address) = (channel.clone(), address.clone());
        let reason = reason.map(str::to_owned);
        self.writer
            .write(move |conn| {
                run(save::set_opt_out(
                    conn,
                    &channel,
                    &address,
                    reason.as_deref(),
                ))
            })
            .await
            .map(|(contacts, _)| contacts)
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn enqueue(&self, order: &Enqueue<'_>) -> Result<Enqueued, StoreError> {
        let rows = NewRows::of(order);
        self.writer.write(move |conn| enqueue(conn, &rows)).await
    }

    async fn enqueue_more(&self, order: &EnqueueMore<'_>) -> Result<bool, StoreError> {
        let rows = MoreRows::of(order);
        self.writer
            .write(move |conn| run(fan_out::record(conn, &rows)))
            .await
    }

    async fn unfinished(&self) -> Result<Vec<FanOut>, StoreError> {
        self.readers.read(|conn| run(fan_out::unfinished(conn)))
    }

    async fn find_repeat(
        &self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Enqueued>, StoreError> {
        let wanted = IdempotencyRow::wanted(raised_by, idempotency, now);
        self.readers
            .snapshot(|conn| run(outbox::known(conn, &wanted)))
    }

    fn serve(&self, _worker: WorkerId) -> Result<Serving, StoreError> {
        self.file.check_process()?;
        let mut held = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = match held.take() {
            Some(lock) => lock,
            None => ServerLock::take(&self.file).map_err(LockError::into_store_error)?,
        };
        Ok(Serving::exclusive(lock))
    }

    async fn due_queues(&self) -> Result<Vec<DueQueue>, StoreError> {
        let (queues, unreadable) = self.readers.read(queue_rows)?;
        if !unreadable.is_empty() {
            let work = move |conn: &mut _| {
                let mut queues = unreadable.iter();
                queues.try_for_each(|queue| run(set_queue_aside(conn, queue)))
            };
            self.writer.write(work).await?;
        }
        Ok(queues)
    }

    async fn claim_due(
        &self,
        lease: &Lease,
        wants: &[ClaimRequest],
    ) -> Result<Vec<Job>, StoreError> {
        let (lease, wants, heads) = (*lease, wants.to_vec(), self.heads.clone());
        self.writer
            .write(move |conn| claim_due(conn, &lease, &wants, &heads))
            .await
    }

    async fn settle(
        &self,
        worker: WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<Settled>, StoreError> {
        let rows: Vec<_> = settlements
            .iter()
            .map(|settlement| SettledRows::of(worker, settlement))
            .collect();
        let work = move |conn: &mut _| rows.iter().map(|rows| rows.write(conn, worker)).collect();
        self.writer.write(work).await
    }

    async fn renew(
        &self,
        worker: WorkerId,
        held: &[HeldLease],
        until: Timestamp,
    ) -> Result<Vec<HeldLease>, StoreError> {
        let leases = held.to_vec();
        let renewed = self
            .writer
            .write(move |conn| renew(conn, worker, &leases, until));
        Ok(lost(held, &renewed.await?))
    }

    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
        running: &[HeldLease],
    ) -> Result<Vec<Delivery>, StoreError> {
        let running = running.to_vec();
        self.writer
            .write(move |conn| run(outbox::requeue_orphans(conn, now, except, &running)))
            .await
    }

    async fn requeue_unconfirmed(
        &self,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<u64, StoreError> {
        self.writer
            .write(move |conn| run(outbox::requeue_unconfirmed(conn, now, limit)))
            .await
    }

    async fn give_up(
        &self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let all = overdue.to_vec();
        // Found by a reader: what waits may be much, and the writer has other things to do.
        let look = move |conn: &mut _| run(overdue::overdue(conn, &all, limit));
        let found = self.readers.long(look).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        self.writer
            .write(move |conn| run(overdue::give_up(conn, &found, now)))
            .await
    }

    async fn follow_clock(&self, step: &ClockStep, worker: WorkerId) -> Result<u64, StoreError> {
        let step = *step;
        self.writer
            .write(move |conn| run(overdue::follow_clock(conn, &step, worker)))
            .await
    }

    async fn bring_forward(&self, now: Timestamp, latest: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(move |conn| run(overdue::bring_forward(conn, now, latest)))
            .await
    }

    async fn record_receipt(
        &self,
        gateway: &Slug,
        received: &Receipt,
        now: Timestamp,
    ) -> Result<ReceiptEffect, StoreError> {
        let (gateway, received) = (gateway.clone(), received.clone());
        self.writer
            .write(move |conn| run(receipt::record(conn, &gateway, &received, now)))
            .await
    }

    async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.writer
            .write(move |conn| run(outbox::resend(conn, id, only, now)))
            .await
    }

    async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, StoreError> {
        self.readers
            .long(move |conn| run(log::notification(conn, id)))
            .await
    }

    async fn log(&self, filter: &LogFilter) -> Result<LogPage, StoreError> {
        let filter = filter.clone();
        self.readers
            .long(move |conn| run(log::log(conn, &filter)))
            .await
    }

    async fn recent(&self, since: Timestamp, step: Duration) -> Result<Recent, StoreError> {
        self.readers
            .long(move |conn| run(recent::recent(conn, since, step)))
            .await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.readers.long(|conn| run(outbox::backlog(conn))).await
    }

    async fn waiting(&self) -> Result<Vec<(Lane, u64)>, StoreError> {
        self.readers.long(|conn| run(outbox::waiting(conn))).await
    }

    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError> {
        self.writer
            .write(move |conn| run(outbox::prune(conn, before, limit)))
            .await
    }

    async fn probe(&self, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |conn| run(outbox::probe(conn, now)))
            .await
    }
}

#[async_trait]
impl Inbox for SqliteStore {
    async fn record_inbound(&self, message: &Inbound) -> Result<bool, StoreError> {
        let message = message.clone();
        self.writer
            .write(move |conn| run(inbox::record(conn, &message)))
            .await
    }

    async fn has_inbound(&self, gateway: &Slug, message_id: &str) -> Result<bool, StoreError> {
        self.readers
            .read(|conn| run(inbox::knows(conn, gateway, message_id)))
    }

    async fn inbound(&self, filter: &InboundFilter) -> Result<Vec<Inbound>, StoreError> {
        let filter = filter.clone();
        self.readers
            .long(move |conn| run(inbox::list(conn, &filter)))
            .await
    }

    async fn delivery_of(
        &self,
        gateway: &Slug,
        delivery: Option<DeliveryId>,
        message_id: Option<&str>,
    ) -> Result<Option<Delivery>, StoreError> {
        self.readers
            .read(|conn| run(inbox::delivery_of(conn, gateway, delivery, message_id)))
    }
}

#[async_trait]
impl Meter for SqliteStore {
    async fn spend(&self, allowances: &[Allowance], now: Timestamp) -> Result<Spent, StoreError> {
        let allowances = allowances.to_vec();
        self.writer
            .write(move |conn| run(meter::spend(conn, &allowances, now)))
            .await
    }

    async fn refund(&self, allowances: &[Allowance], at: Timestamp) -> Result<(), StoreError> {
        let allowances = allowances.to_vec();
        self.writer
            .write(move |conn| run(meter::refund(conn, &allowances, at)))
            .await
    }

    async fn used(&self, allowances: &[Allowance], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        self.readers
            .read(|conn| run(meter::used(conn, allowances, now)))
    }

    async fn start_alarm(&self, alarm: &Alarm) -> Result<bool, StoreError> {
        let alarm = alarm.clone();
        self.writer
            .write(move |conn| run(meter::start_alarm(conn, &alarm)))
            .await
    }

    async fn end_alarm(&self, subject: &str) -> Result<bool, StoreError> {
        let subject = subject.to_owned();
        self.writer
            .write(move |conn| run(meter::end_alarm(conn, &subject)))
            .await
    }

    async fn alarms(&self) -> Result<Vec<Alarm>, StoreError> {
        self.readers.read(|conn| run(meter::alarms(conn)))
    }
}
