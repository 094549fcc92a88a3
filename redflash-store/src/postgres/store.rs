//! The traits, on Postgres.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use diesel_async::AsyncConnection;
#[cfg(feature = "sqlite")]
use diesel_async::RunQueryDsl;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{
    Delivery, DeliveryState, HeldLease, Job, Lane, Lease, Receipt, Settled, Settlement,
};
use redflash_core::message::Idempotency;
use redflash_core::model::{
    Address, ApiKey, ChannelKind, Contact, DeliveryId, Event, Group, KeyHash, NotificationId, Slug,
    Target, TargetView, User, WorkerId,
};
use redflash_core::plan::Notification;
use redflash_core::store::{
    Backlog, ClaimRequest, ClockStep, ClosedLane, DeliveryRecord, Directory, DueQueue, Edit,
    Enqueue, EnqueueMore, Enqueued, FanOut, LogFilter, LogPage, Nodes, Outbox, Overdue,
    ReceiptEffect, Recent, Serving, StoreError,
};

use super::closed::{found_by_others, publish};
use super::node::{DIRECTORY, QUEUE, alive, announce};
use super::outbox::{claim_due, due_queues, leased_to, match_kept, renew, settle};
use super::query::{count, directory, fan_out, log, outbox, overdue, receipt, recent, save, user};
use super::run::{ask, run, snapshot, transact};
use super::{Conn, PostgresStore};
use crate::copy::Counts;
use crate::error::QueryError;
use crate::row::delivery::lost;
use crate::row::notification::{IdempotencyRow, MoreRows, NewRows};

/// Additional time limit of saving for each entry.
const EACH: Duration = Duration::from_millis(20);

impl PostgresStore {
    /// Returns the number of nodes that dispatch from the database now.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the server does not answer.
    pub async fn nodes(&self) -> Result<usize, StoreError> {
        let alive = ask!(self, |conn| async { Ok(alive(conn).await?) })?;
        Ok(alive.len())
    }

    /// Returns the number of entries.
    ///
    /// # Errors
    ///
    /// Returns a [`StoreError`] if the server does not answer.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        snapshot!(self, |conn| count::counts(conn).await)
    }

    /// Takes over notifications of another store.
    #[cfg(feature = "sqlite")]
    pub(crate) async fn take(&self, page: &crate::copy::Page) -> Result<(), StoreError> {
        transact!(self, |conn| take(conn, page).await)
    }
}

#[async_trait]
impl Directory for PostgresStore {
    async fn version(&self) -> Result<u64, StoreError> {
        let version = ask!(self, |conn| directory::version(conn))?;
        self.node.know(version);
        Ok(version)
    }

    async fn recent_version(&self) -> Result<u64, StoreError> {
        match self.node.version() {
            Some(version) => Ok(version),
            None => self.version().await,
        }
    }

    async fn view(&self, target: &Target) -> Result<Option<TargetView>, StoreError> {
        snapshot!(self, |conn| directory::view(conn, target).await)
    }

    async fn contact(&self, slug: &Slug) -> Result<Option<Contact>, StoreError> {
        snapshot!(self, |conn| directory::contact(conn, slug).await)
    }

    async fn group(&self, slug: &Slug) -> Result<Option<Group>, StoreError> {
        snapshot!(self, |conn| directory::group(conn, slug).await)
    }

    async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError> {
        snapshot!(self, |conn| directory::event(conn, slug).await)
    }

    async fn api_key(&self, slug: &Slug) -> Result<Option<ApiKey>, StoreError> {
        ask!(self, |conn| directory::api_key(conn, slug))
    }

    async fn api_key_by_hash(&self, hash: &KeyHash) -> Result<Option<ApiKey>, StoreError> {
        ask!(self, |conn| directory::api_key_by_hash(conn, hash))
    }

    async fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        snapshot!(self, |conn| directory::contacts(conn).await)
    }

    async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        snapshot!(self, |conn| directory::groups(conn).await)
    }

    async fn events(&self) -> Result<Vec<Event>, StoreError> {
        snapshot!(self, |conn| directory::events(conn).await)
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        ask!(self, |conn| directory::api_keys(conn))
    }

    async fn user(&self, slug: &Slug) -> Result<Option<User>, StoreError> {
        ask!(self, |conn| user::user(conn, slug))
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        ask!(self, |conn| user::users(conn))
    }

    async fn edit(&self, edit: &Edit<'_>) -> Result<(), StoreError> {
        // Each step takes a few statements, and an import has thousands.
        let count = u32::try_from(edit.steps.len() + edit.changes.len()).unwrap_or(u32::MAX);
        let within = self.connections.timeout + EACH.saturating_mul(count);
        let version = run!(wrote, self, within, |conn| conn.transaction(
            async |conn: &mut Conn| {
                let version = save::edit(conn, edit).await?;
                announce(conn, DIRECTORY).await?;
                Ok::<_, QueryError>(version)
            }
        ))?;
        self.node.know(version);
        Ok(())
    }

    async fn contacts_at(
        &self,
        channel: &ChannelKind,
        address: &Address,
    ) -> Result<Vec<Contact>, StoreError> {
        snapshot!(self, |conn| directory::contacts_at(conn, channel, address)
            .await)
    }

    async fn set_opt_out(
        &self,
        channel: &ChannelKind,
        address: &Address,
        reason: Option<&str>,
    ) -> Result<Vec<Slug>, StoreError> {
        let (contacts, version) = transact!(self, |conn| {
            let changed = save::set_opt_out(conn, channel, address, reason).await?;
            announce(conn, DIRECTORY).await?;
            Ok::<_, QueryError>(changed)
        })?;
        self.node.know(version.unwrap_or(0));
        Ok(contacts)
    }
}

#[async_trait]
impl Outbox for PostgresStore {
    async fn enqueue(&self, order: &Enqueue<'_>) -> Result<Enqueued, StoreError> {
        let waits = |delivery: &Delivery| delivery.state == DeliveryState::Queued;
        let leaves_some = order.deliveries.iter().any(waits);
        let enqueued = self.enqueuer.enqueue(NewRows::of(order)).await?;
        if leaves_some && enqueued == Enqueued::New && self.node.may_announce() {
            // The alert is recorded; unheard, it is found within a second.
            let _: Result<(), StoreError> = ask!(self, |conn| announce(conn, QUEUE));
        }
        Ok(enqueued)
    }

    async fn enqueue_more(&self, order: &EnqueueMore<'_>) -> Result<bool, StoreError> {
        let rows = MoreRows::of(order);
        transact!(self, |conn| {
            let is_recorded = fan_out::record(conn, &rows).await?;
            announce(conn, QUEUE).await?;
            Ok::<_, QueryError>(is_recorded)
        })
    }

    async fn unfinished(&self) -> Result<Vec<FanOut>, StoreError> {
        ask!(self, |conn| fan_out::unfinished(conn))
    }

    async fn find_repeat(
        &self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Enqueued>, StoreError> {
        let wanted = IdempotencyRow::wanted(raised_by, idempotency, now);
        snapshot!(self, |conn| outbox::known(conn, &wanted).await)
    }

    fn serve(&self, worker: WorkerId) -> Result<Serving, StoreError> {
        Ok(Serving::shared(self.node.serve(worker)))
    }

    async fn join(&self, worker: WorkerId) -> Result<(), StoreError> {
        let joined = self.node.join(worker, self.connections.timeout).await;
        joined.map_err(StoreError::Unavailable)
    }

    async fn wait_for_work(&self) {
        self.node.wait_for_work().await;
    }

    async fn exchange(
        &self,
        worker: WorkerId,
        closed: &[ClosedLane],
        now: Timestamp,
    ) -> Result<Nodes, StoreError> {
        let tell = self.node.has_to_tell(worker, closed);
        let worker = worker.to_string();
        let (count, closed) = ask!(self, |conn| async {
            if tell {
                conn.transaction(async |conn| publish(conn, &worker, closed).await)
                    .await?;
            }
            let count = alive(conn).await?.len();
            Ok((count, found_by_others(conn, &worker, now).await?))
        })?;
        let count = u32::try_from(count).ok().and_then(NonZeroU32::new);
        Ok(Nodes {
            count: count.unwrap_or(NonZeroU32::MIN),
            closed,
        })
    }

    async fn due_queues(&self) -> Result<Vec<DueQueue>, StoreError> {
        ask!(self, |conn| due_queues(conn))
    }

    async fn claim_due(
        &self,
        lease: &Lease,
        wants: &[ClaimRequest],
    ) -> Result<Vec<Job>, StoreError> {
        transact!(self, |conn| {
            claim_due(conn, lease, wants, &self.heads).await
        })
    }

    async fn settle(
        &self,
        worker: WorkerId,
        settlements: &[Settlement],
    ) -> Result<Vec<Settled>, StoreError> {
        run!(wrote, self, |conn| settle(conn, worker, settlements))
    }

    async fn renew(
        &self,
        worker: WorkerId,
        held: &[HeldLease],
        until: Timestamp,
    ) -> Result<Vec<HeldLease>, StoreError> {
        let renewed = run!(wrote, self, |conn| renew(conn, worker, held, until))?;
        Ok(lost(held, &renewed))
    }

    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
        running: &[HeldLease],
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut taken_back = transact!(self, |conn| {
            outbox::requeue_orphans(conn, now, except, running).await
        })?;
        let dead = ask!(self, |conn| self.node.dead(conn))?;
        if dead.is_empty() {
            return Ok(taken_back);
        }
        let left = transact!(self, |conn| {
            let rows = leased_to(conn, &dead).await?;
            outbox::take_back(conn, rows, now).await
        })?;
        taken_back.extend(left);
        Ok(taken_back)
    }

    async fn requeue_unconfirmed(
        &self,
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<u64, StoreError> {
        transact!(self, |conn| {
            outbox::requeue_unconfirmed(conn, now, limit).await
        })
    }

    async fn give_up(
        &self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let found = ask!(self, |conn| overdue::overdue(conn, overdue, limit))?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        transact!(self, |conn| overdue::give_up(conn, &found, now).await)
    }

    async fn follow_clock(&self, step: &ClockStep, worker: WorkerId) -> Result<u64, StoreError> {
        transact!(self, |conn| {
            overdue::follow_clock(conn, step, worker).await
        })
    }

    async fn bring_forward(&self, now: Timestamp, latest: Timestamp) -> Result<u64, StoreError> {
        transact!(self, |conn| {
            overdue::bring_forward(conn, now, latest).await
        })
    }

    async fn record_receipt(
        &self,
        gateway: &Slug,
        received: &Receipt,
        now: Timestamp,
    ) -> Result<ReceiptEffect, StoreError> {
        let effect = transact!(self, |conn| {
            receipt::record(conn, gateway, received, now).await
        })?;
        if effect != ReceiptEffect::Unmatched || received.delivery.is_some() {
            return Ok(effect);
        }
        // Its delivery may have become known while it was being kept.
        transact!(self, |conn| match_kept(conn, gateway, received).await)
    }

    async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        transact!(self, |conn| {
            let resent = outbox::resend(conn, id, only, now).await?;
            announce(conn, QUEUE).await?;
            Ok::<_, QueryError>(resent)
        })
    }

    async fn notification(
        &self,
        id: NotificationId,
    ) -> Result<Option<(Notification, Vec<DeliveryRecord>)>, StoreError> {
        snapshot!(self, |conn| log::notification(conn, id).await)
    }

    async fn log(&self, filter: &LogFilter) -> Result<LogPage, StoreError> {
        snapshot!(self, |conn| log::log(conn, filter).await)
    }

    async fn recent(&self, since: Timestamp, step: Duration) -> Result<Recent, StoreError> {
        snapshot!(self, |conn| recent::recent(conn, since, step).await)
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        ask!(self, |conn| outbox::backlog(conn))
    }

    async fn waiting(&self) -> Result<Vec<(Lane, u64)>, StoreError> {
        ask!(self, |conn| outbox::waiting(conn))
    }

    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Result<u64, StoreError> {
        transact!(self, |conn| outbox::prune(conn, before, limit).await)
    }

    async fn probe(&self, now: Timestamp) -> Result<(), StoreError> {
        run!(wrote, self, |conn| outbox::probe(conn, now))
    }
}

/// Inserts rows as they are, many by one statement.
#[cfg(feature = "sqlite")]
async fn take(conn: &mut Conn, page: &crate::copy::Page) -> Result<(), QueryError> {
    use super::outbox::insert;
    use crate::schema::{attempts, idempotency, notifications};

    /// As many as one statement has parameters for.
    const ROWS: usize = 1000;
    for rows in page.notifications.chunks(ROWS) {
        let insert = diesel::insert_into(notifications::table).values(rows);
        insert.execute(conn).await?;
    }
    insert(conn, &page.deliveries).await?;
    for (notification, unqueued) in &page.fan_outs {
        fan_out::begin(conn, notification, *unqueued).await?;
    }
    for rows in page.attempts.chunks(ROWS) {
        let insert = diesel::insert_into(attempts::table).values(rows);
        insert.execute(conn).await?;
    }
    for rows in page.idempotency.chunks(ROWS) {
        let insert = diesel::insert_into(idempotency::table).values(rows);
        insert.execute(conn).await?;
    }
    Ok(())
}
