//! A starting point for a store of your own: the six traits, method by method, over an existing store.
//!
//! This one keeps a journal of what is raised. Replace one method after the other by your own, and
//! let the suite below say when a promise breaks:
//! `cargo test -p redflash-examples --example custom_store`

#![expect(clippy::print_stdout, reason = "it says what it did")]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{
    Delivery, HeldLease, Job, Lane, Lease, Receipt, Settled, Settlement,
};
use redflash_core::inbound::Inbound;
use redflash_core::message::{Idempotency, Raise};
use redflash_core::model::{
    Address, ApiKey, AuditEntry, ChannelKind, Contact, DeliveryId, Event, Group, KeyHash,
    NotificationId, Session, Slug, Target, TargetView, User, WorkerId,
};
use redflash_core::plan::Notification;
use redflash_core::store::{
    Alarm, Allowance, Audit, AuditFilter, Backlog, ClaimRequest, ClockStep, DeliveryRecord,
    Directory, DueQueue, Edit, Enqueue, EnqueueMore, Enqueued, Entry, FanOut, InboundFilter, Inbox,
    LogFilter, LogPage, MemoryStore, Meter, Outbox, Overdue, ReceiptEffect, Recent, Save, Serving,
    Sessions, Spent, StoreError,
};

type Answer<T> = Result<T, StoreError>;

/// A store that keeps a journal of what is raised.
#[derive(Debug, Default)]
struct Journaled {
    inner: MemoryStore,
    journal: Mutex<Vec<String>>,
}

#[async_trait]
impl Directory for Journaled {
    async fn version(&self) -> Answer<u64> {
        self.inner.version().await
    }

    async fn view(&self, target: &Target) -> Answer<Option<TargetView>> {
        self.inner.view(target).await
    }

    async fn contact(&self, slug: &Slug) -> Answer<Option<Contact>> {
        self.inner.contact(slug).await
    }

    async fn group(&self, slug: &Slug) -> Answer<Option<Group>> {
        self.inner.group(slug).await
    }

    async fn event(&self, slug: &Slug) -> Answer<Option<Event>> {
        self.inner.event(slug).await
    }

    async fn api_key(&self, slug: &Slug) -> Answer<Option<ApiKey>> {
        self.inner.api_key(slug).await
    }

    async fn api_key_by_hash(&self, hash: &KeyHash) -> Answer<Option<ApiKey>> {
        self.inner.api_key_by_hash(hash).await
    }

    async fn contacts(&self) -> Answer<Vec<Contact>> {
        self.inner.contacts().await
    }

    async fn groups(&self) -> Answer<Vec<Group>> {
        self.inner.groups().await
    }

    async fn events(&self) -> Answer<Vec<Event>> {
        self.inner.events().await
    }

    async fn api_keys(&self) -> Answer<Vec<ApiKey>> {
        self.inner.api_keys().await
    }

    async fn user(&self, slug: &Slug) -> Answer<Option<User>> {
        self.inner.user(slug).await
    }

    async fn users(&self) -> Answer<Vec<User>> {
        self.inner.users().await
    }

    async fn edit(&self, edit: &Edit<'_>) -> Answer<()> {
        self.inner.edit(edit).await
    }

    async fn contacts_at(&self, channel: &ChannelKind, address: &Address) -> Answer<Vec<Contact>> {
        self.inner.contacts_at(channel, address).await
    }

    async fn set_opt_out(
        &self,
        channel: &ChannelKind,
        address: &Address,
        reason: Option<&str>,
    ) -> Answer<Vec<Slug>> {
        self.inner.set_opt_out(channel, address, reason).await
    }
}

#[async_trait]
impl Outbox for Journaled {
    async fn enqueue(&self, order: &Enqueue<'_>) -> Answer<Enqueued> {
        let notification = order.notification;
        let enqueued = self.inner.enqueue(order).await?;
        if enqueued == Enqueued::New {
            let line = format!("{} {}", notification.id, notification.target());
            self.journal
                .lock()
                .expect("nobody panics with it")
                .push(line);
        }
        Ok(enqueued)
    }

    fn serve(&self, worker: WorkerId) -> Answer<Serving> {
        self.inner.serve(worker)
    }

    async fn enqueue_more(&self, order: &EnqueueMore<'_>) -> Answer<bool> {
        self.inner.enqueue_more(order).await
    }

    async fn unfinished(&self) -> Answer<Vec<FanOut>> {
        self.inner.unfinished().await
    }

    async fn find_repeat(
        &self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Answer<Option<Enqueued>> {
        self.inner.find_repeat(raised_by, idempotency, now).await
    }

    async fn due_queues(&self) -> Answer<Vec<DueQueue>> {
        self.inner.due_queues().await
    }

    async fn claim_due(&self, lease: &Lease, wants: &[ClaimRequest]) -> Answer<Vec<Job>> {
        self.inner.claim_due(lease, wants).await
    }

    async fn settle(&self, worker: WorkerId, ends: &[Settlement]) -> Answer<Vec<Settled>> {
        self.inner.settle(worker, ends).await
    }

    async fn renew(
        &self,
        worker: WorkerId,
        held: &[HeldLease],
        until: Timestamp,
    ) -> Answer<Vec<HeldLease>> {
        self.inner.renew(worker, held, until).await
    }

    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
        running: &[HeldLease],
    ) -> Answer<Vec<Delivery>> {
        self.inner.requeue_orphans(now, except, running).await
    }

    async fn requeue_unconfirmed(&self, now: Timestamp, limit: NonZeroU32) -> Answer<u64> {
        self.inner.requeue_unconfirmed(now, limit).await
    }

    async fn give_up(
        &self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Answer<Vec<Delivery>> {
        self.inner.give_up(overdue, now, limit).await
    }

    async fn follow_clock(&self, step: &ClockStep, worker: WorkerId) -> Answer<u64> {
        self.inner.follow_clock(step, worker).await
    }

    async fn bring_forward(&self, now: Timestamp, latest: Timestamp) -> Answer<u64> {
        self.inner.bring_forward(now, latest).await
    }

    async fn record_receipt(
        &self,
        gateway: &Slug,
        receipt: &Receipt,
        now: Timestamp,
    ) -> Answer<ReceiptEffect> {
        self.inner.record_receipt(gateway, receipt, now).await
    }

    async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
        now: Timestamp,
    ) -> Answer<u64> {
        self.inner.resend(id, only, now).await
    }

    async fn notification(
        &self,
        id: NotificationId,
    ) -> Answer<Option<(Notification, Vec<DeliveryRecord>)>> {
        self.inner.notification(id).await
    }

    async fn log(&self, filter: &LogFilter) -> Answer<LogPage> {
        self.inner.log(filter).await
    }

    async fn recent(&self, since: Timestamp, step: Duration) -> Answer<Recent> {
        self.inner.recent(since, step).await
    }

    async fn backlog(&self) -> Answer<Backlog> {
        self.inner.backlog().await
    }

    async fn waiting(&self) -> Answer<Vec<(Lane, u64)>> {
        self.inner.waiting().await
    }

    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Answer<u64> {
        self.inner.prune(before, limit).await
    }

    async fn probe(&self, now: Timestamp) -> Answer<()> {
        self.inner.probe(now).await
    }
}

#[async_trait]
impl Inbox for Journaled {
    async fn record_inbound(&self, inbound: &Inbound) -> Answer<bool> {
        self.inner.record_inbound(inbound).await
    }

    async fn has_inbound(&self, gateway: &Slug, message_id: &str) -> Answer<bool> {
        self.inner.has_inbound(gateway, message_id).await
    }

    async fn inbound(&self, filter: &InboundFilter) -> Answer<Vec<Inbound>> {
        self.inner.inbound(filter).await
    }

    async fn delivery_of(
        &self,
        gateway: &Slug,
        delivery: Option<DeliveryId>,
        message_id: Option<&str>,
    ) -> Answer<Option<Delivery>> {
        self.inner.delivery_of(gateway, delivery, message_id).await
    }
}

#[async_trait]
impl Meter for Journaled {
    async fn spend(&self, allowances: &[Allowance], now: Timestamp) -> Answer<Spent> {
        self.inner.spend(allowances, now).await
    }

    async fn refund(&self, allowances: &[Allowance], at: Timestamp) -> Answer<()> {
        self.inner.refund(allowances, at).await
    }

    async fn used(&self, allowances: &[Allowance], now: Timestamp) -> Answer<Vec<u32>> {
        self.inner.used(allowances, now).await
    }

    async fn start_alarm(&self, alarm: &Alarm) -> Answer<bool> {
        self.inner.start_alarm(alarm).await
    }

    async fn end_alarm(&self, subject: &str) -> Answer<bool> {
        self.inner.end_alarm(subject).await
    }

    async fn alarms(&self) -> Answer<Vec<Alarm>> {
        self.inner.alarms().await
    }
}

#[async_trait]
impl Sessions for Journaled {
    async fn start_session(&self, session: &Session) -> Answer<()> {
        self.inner.start_session(session).await
    }

    async fn session(&self, hash: &KeyHash) -> Answer<Option<Session>> {
        self.inner.session(hash).await
    }

    async fn touch_session(&self, hash: &KeyHash, at: Timestamp) -> Answer<()> {
        self.inner.touch_session(hash, at).await
    }

    async fn end_session(&self, hash: &KeyHash) -> Answer<bool> {
        self.inner.end_session(hash).await
    }

    async fn end_sessions(&self, user: &Slug, except: Option<&KeyHash>) -> Answer<u64> {
        self.inner.end_sessions(user, except).await
    }

    async fn prune_sessions(&self, started: Timestamp, seen: Timestamp) -> Answer<u64> {
        self.inner.prune_sessions(started, seen).await
    }
}

#[async_trait]
impl Audit for Journaled {
    async fn record_audit(&self, changes: &[AuditEntry]) -> Answer<()> {
        self.inner.record_audit(changes).await
    }

    async fn audit_entries(&self, filter: &AuditFilter) -> Answer<Vec<AuditEntry>> {
        self.inner.audit_entries(filter).await
    }

    async fn prune_audit(&self, before: Timestamp, limit: NonZeroU32) -> Answer<u64> {
        self.inner.prune_audit(before, limit).await
    }

    async fn record_key_usage(&self, uses: &[(Slug, Timestamp)]) -> Answer<()> {
        self.inner.record_key_usage(uses).await
    }

    async fn key_usage(&self) -> Answer<BTreeMap<Slug, Timestamp>> {
        self.inner.key_usage().await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Arc::new(Journaled::default());
    let ann = Contact::new("ann".parse()?, "Ann".parse()?);
    store.save(&[Entry::Contact(ann)], Save::Create).await?;
    let engine = Engine::builder(store).build()?;
    // Ann has no endpoint, and the plan says so before anything is raised.
    let plan = engine
        .explain(&Raise::contact("ann".parse()?, "hello"))
        .await?;
    println!("{:?} {:?}", plan.refusal, plan.recipients[0].skip);
    Ok(())
}

#[cfg(test)]
mod suite {
    use redflash_core::store::Store;

    use super::*;

    async fn open() -> Arc<dyn Store> {
        Arc::new(Journaled::default())
    }

    redflash_core::store_conformance!(open);
}
