//! The calls of a hooked store, each of which reaches its place and goes on to the inner store.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{
    Delivery, HeldLease, Job, Lane, Lease, Receipt, Settled, Settlement,
};
use redflash_core::inbound::Inbound;
use redflash_core::message::Idempotency;
use redflash_core::model::{
    Address, ApiKey, AuditEntry, ChannelKind, Contact, DeliveryId, Event, Group, KeyHash,
    NotificationId, Session, Slug, Target, TargetView, User, WorkerId,
};
use redflash_core::plan::Notification;
use redflash_core::store::{
    Alarm, Allowance, Audit, AuditFilter, Backlog, ClaimRequest, ClockStep, ClosedLane,
    DeliveryRecord, Directory, DueQueue, Edit, Enqueue, EnqueueMore, Enqueued, FanOut,
    InboundFilter, Inbox, LogFilter, LogPage, Meter, Nodes, Outbox, Overdue, ReceiptEffect, Recent,
    Serving, Sessions, Spent, StoreError,
};

use super::HookedStore;

type Answer<T> = Result<T, StoreError>;

#[async_trait]
impl Directory for HookedStore {
    async fn version(&self) -> Answer<u64> {
        self.reach("version").await;
        self.inner.version().await
    }

    async fn recent_version(&self) -> Answer<u64> {
        self.reach("recent_version").await;
        self.inner.recent_version().await
    }

    async fn view(&self, target: &Target) -> Answer<Option<TargetView>> {
        self.reach("view").await;
        self.inner.view(target).await
    }

    async fn contact(&self, slug: &Slug) -> Answer<Option<Contact>> {
        self.reach("contact").await;
        self.inner.contact(slug).await
    }

    async fn group(&self, slug: &Slug) -> Answer<Option<Group>> {
        self.reach("group").await;
        self.inner.group(slug).await
    }

    async fn event(&self, slug: &Slug) -> Answer<Option<Event>> {
        self.reach("event").await;
        self.inner.event(slug).await
    }

    async fn api_key(&self, slug: &Slug) -> Answer<Option<ApiKey>> {
        self.reach("api_key").await;
        self.inner.api_key(slug).await
    }

    async fn api_key_by_hash(&self, hash: &KeyHash) -> Answer<Option<ApiKey>> {
        self.reach("api_key_by_hash").await;
        self.inner.api_key_by_hash(hash).await
    }

    async fn contacts(&self) -> Answer<Vec<Contact>> {
        self.reach("contacts").await;
        self.inner.contacts().await
    }

    async fn groups(&self) -> Answer<Vec<Group>> {
        self.reach("groups").await;
        self.inner.groups().await
    }

    async fn events(&self) -> Answer<Vec<Event>> {
        self.reach("events").await;
        self.inner.events().await
    }

    async fn api_keys(&self) -> Answer<Vec<ApiKey>> {
        self.reach("api_keys").await;
        self.inner.api_keys().await
    }

    async fn user(&self, slug: &Slug) -> Answer<Option<User>> {
        self.reach("user").await;
        self.inner.user(slug).await
    }

    async fn users(&self) -> Answer<Vec<User>> {
        self.reach("users").await;
        self.inner.users().await
    }

    async fn edit(&self, edit: &Edit<'_>) -> Answer<()> {
        self.reach("edit").await;
        self.inner.edit(edit).await
    }

    async fn contacts_at(&self, channel: &ChannelKind, address: &Address) -> Answer<Vec<Contact>> {
        self.reach("contacts_at").await;
        self.inner.contacts_at(channel, address).await
    }

    async fn set_opt_out(
        &self,
        channel: &ChannelKind,
        address: &Address,
        reason: Option<&str>,
    ) -> Answer<Vec<Slug>> {
        self.reach("set_opt_out").await;
        self.inner.set_opt_out(channel, address, reason).await
    }
}

#[async_trait]
impl Outbox for HookedStore {
    async fn enqueue(&self, order: &Enqueue<'_>) -> Answer<Enqueued> {
        self.reach("enqueue").await;
        let enqueued = self.inner.enqueue(order).await;
        self.reach("enqueued").await;
        enqueued
    }

    async fn join(&self, worker: WorkerId) -> Answer<()> {
        self.reach("join").await;
        self.inner.join(worker).await
    }

    async fn wait_for_work(&self) {
        self.reach("wait_for_work").await;
        self.inner.wait_for_work().await;
    }

    async fn exchange(
        &self,
        worker: WorkerId,
        closed: &[ClosedLane],
        now: Timestamp,
    ) -> Answer<Nodes> {
        self.reach("exchange").await;
        self.inner.exchange(worker, closed, now).await
    }

    fn serve(&self, worker: WorkerId) -> Answer<Serving> {
        self.inner.serve(worker)
    }

    async fn enqueue_more(&self, order: &EnqueueMore<'_>) -> Answer<bool> {
        self.reach("enqueue_more").await;
        self.inner.enqueue_more(order).await
    }

    async fn unfinished(&self) -> Answer<Vec<FanOut>> {
        self.reach("unfinished").await;
        self.inner.unfinished().await
    }

    async fn find_repeat(
        &self,
        raised_by: Option<&Slug>,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Answer<Option<Enqueued>> {
        self.reach("find_repeat").await;
        self.inner.find_repeat(raised_by, idempotency, now).await
    }

    async fn due_queues(&self) -> Answer<Vec<DueQueue>> {
        self.reach("due_queues").await;
        self.inner.due_queues().await
    }

    async fn claim_due(&self, lease: &Lease, wants: &[ClaimRequest]) -> Answer<Vec<Job>> {
        self.reach("claim_due").await;
        let claimed = self.inner.claim_due(lease, wants).await;
        self.reach("claimed").await;
        claimed
    }

    async fn settle(&self, worker: WorkerId, ends: &[Settlement]) -> Answer<Vec<Settled>> {
        self.reach("settle").await;
        self.inner.settle(worker, ends).await
    }

    async fn renew(
        &self,
        worker: WorkerId,
        held: &[HeldLease],
        until: Timestamp,
    ) -> Answer<Vec<HeldLease>> {
        self.reach("renew").await;
        self.inner.renew(worker, held, until).await
    }

    async fn requeue_orphans(
        &self,
        now: Timestamp,
        except: Option<WorkerId>,
        running: &[HeldLease],
    ) -> Answer<Vec<Delivery>> {
        self.reach("requeue_orphans").await;
        self.inner.requeue_orphans(now, except, running).await
    }

    async fn requeue_unconfirmed(&self, now: Timestamp, limit: NonZeroU32) -> Answer<u64> {
        self.reach("requeue_unconfirmed").await;
        self.inner.requeue_unconfirmed(now, limit).await
    }

    async fn give_up(
        &self,
        overdue: &[Overdue],
        now: Timestamp,
        limit: NonZeroU32,
    ) -> Answer<Vec<Delivery>> {
        self.reach("give_up").await;
        self.inner.give_up(overdue, now, limit).await
    }

    async fn follow_clock(&self, step: &ClockStep, worker: WorkerId) -> Answer<u64> {
        self.reach("follow_clock").await;
        self.inner.follow_clock(step, worker).await
    }

    async fn bring_forward(&self, now: Timestamp, latest: Timestamp) -> Answer<u64> {
        self.reach("bring_forward").await;
        self.inner.bring_forward(now, latest).await
    }

    async fn record_receipt(
        &self,
        gateway: &Slug,
        receipt: &Receipt,
        now: Timestamp,
    ) -> Answer<ReceiptEffect> {
        self.reach("record_receipt").await;
        self.inner.record_receipt(gateway, receipt, now).await
    }

    async fn resend(
        &self,
        id: NotificationId,
        only: Option<DeliveryId>,
        now: Timestamp,
    ) -> Answer<u64> {
        self.reach("resend").await;
        self.inner.resend(id, only, now).await
    }

    async fn notification(
        &self,
        id: NotificationId,
    ) -> Answer<Option<(Notification, Vec<DeliveryRecord>)>> {
        self.reach("notification").await;
        self.inner.notification(id).await
    }

    async fn log(&self, filter: &LogFilter) -> Answer<LogPage> {
        self.reach("log").await;
        self.inner.log(filter).await
    }

    async fn recent(&self, since: Timestamp, step: Duration) -> Answer<Recent> {
        self.reach("recent").await;
        self.inner.recent(since, step).await
    }

    async fn backlog(&self) -> Answer<Backlog> {
        self.reach("backlog").await;
        self.inner.backlog().await
    }

    async fn waiting(&self) -> Answer<Vec<(Lane, u64)>> {
        self.reach("waiting").await;
        self.inner.waiting().await
    }

    async fn prune(&self, before: Timestamp, limit: NonZeroU32) -> Answer<u64> {
        self.reach("prune").await;
        self.inner.prune(before, limit).await
    }

    async fn probe(&self, now: Timestamp) -> Answer<()> {
        self.reach("probe").await;
        self.inner.probe(now).await
    }
}

#[async_trait]
impl Inbox for HookedStore {
    async fn record_inbound(&self, inbound: &Inbound) -> Answer<bool> {
        self.reach("record_inbound").await;
        self.inner.record_inbound(inbound).await
    }

    async fn has_inbound(&self, gateway: &Slug, message_id: &str) -> Answer<bool> {
        self.reach("has_inbound").await;
        self.inner.has_inbound(gateway, message_id).await
    }

    async fn inbound(&self, filter: &InboundFilter) -> Answer<Vec<Inbound>> {
        self.reach("inbound").await;
        self.inner.inbound(filter).await
    }

    async fn delivery_of(
        &self,
        gateway: &Slug,
        delivery: Option<DeliveryId>,
        message_id: Option<&str>,
    ) -> Answer<Option<Delivery>> {
        self.reach("delivery_of").await;
        self.inner.delivery_of(gateway, delivery, message_id).await
    }
}

#[async_trait]
impl Meter for HookedStore {
    async fn spend(&self, allowances: &[Allowance], now: Timestamp) -> Answer<Spent> {
        self.reach("spend").await;
        self.inner.spend(allowances, now).await
    }

    async fn refund(&self, allowances: &[Allowance], at: Timestamp) -> Answer<()> {
        self.reach("refund").await;
        self.inner.refund(allowances, at).await
    }

    async fn used(&self, allowances: &[Allowance], now: Timestamp) -> Answer<Vec<u32>> {
        self.reach("used").await;
        self.inner.used(allowances, now).await
    }

    async fn start_alarm(&self, alarm: &Alarm) -> Answer<bool> {
        self.reach("start_alarm").await;
        self.inner.start_alarm(alarm).await
    }

    async fn end_alarm(&self, subject: &str) -> Answer<bool> {
        self.reach("end_alarm").await;
        self.inner.end_alarm(subject).await
    }

    async fn alarms(&self) -> Answer<Vec<Alarm>> {
        self.reach("alarms").await;
        self.inner.alarms().await
    }
}

#[async_trait]
impl Sessions for HookedStore {
    async fn start_session(&self, session: &Session) -> Answer<()> {
        self.reach("start_session").await;
        self.inner.start_session(session).await
    }

    async fn session(&self, hash: &KeyHash) -> Answer<Option<Session>> {
        self.reach("session").await;
        self.inner.session(hash).await
    }

    async fn touch_session(&self, hash: &KeyHash, at: Timestamp) -> Answer<()> {
        self.reach("touch_session").await;
        self.inner.touch_session(hash, at).await
    }

    async fn end_session(&self, hash: &KeyHash) -> Answer<bool> {
        self.reach("end_session").await;
        self.inner.end_session(hash).await
    }

    async fn end_sessions(&self, user: &Slug, except: Option<&KeyHash>) -> Answer<u64> {
        self.reach("end_sessions").await;
        self.inner.end_sessions(user, except).await
    }

    async fn prune_sessions(&self, started: Timestamp, seen: Timestamp) -> Answer<u64> {
        self.reach("prune_sessions").await;
        self.inner.prune_sessions(started, seen).await
    }
}

#[async_trait]
impl Audit for HookedStore {
    async fn record_audit(&self, changes: &[AuditEntry]) -> Answer<()> {
        self.reach("record_audit").await;
        self.inner.record_audit(changes).await
    }

    async fn audit_entries(&self, filter: &AuditFilter) -> Answer<Vec<AuditEntry>> {
        self.reach("changes").await;
        self.inner.audit_entries(filter).await
    }

    async fn prune_audit(&self, before: Timestamp, limit: NonZeroU32) -> Answer<u64> {
        self.reach("prune_audit").await;
        self.inner.prune_audit(before, limit).await
    }

    async fn record_key_usage(&self, uses: &[(Slug, Timestamp)]) -> Answer<()> {
        self.reach("record_key_usage").await;
        self.inner.record_key_usage(uses).await
    }

    async fn key_usage(&self) -> Answer<BTreeMap<Slug, Timestamp>> {
        self.reach("key_usage").await;
        self.inner.key_usage().await
    }
}
