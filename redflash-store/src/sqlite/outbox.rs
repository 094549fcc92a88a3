//! The way of every delivery, in as few statements as can be: recorded, leased, settled.
//!
//! Rows are made by whoever asks, so that the writer has nothing to do but to write them.

use std::sync::Arc;

use diesel::prelude::*;
use redflash_core::store::{DueQueue, Enqueue, Enqueued, OutboxEntry, Want};
use redflash_core::{DeliveryState, Job, Lease, Settled, Settlement, WorkerId};

use super::statement::{Claim, DueQueues, InsertNotification, Settle};
use crate::error::Fault;
use crate::query::{Conn, outbox, receipt};
use crate::row::attempt::AttemptRow;
use crate::row::delivery::{DeliveryRow, due_queue};
use crate::row::notification::{Head, IdempotencyRow, NotificationRow};
use crate::schema::{attempts, deliveries, idempotency, notifications};

/// The rows of a notification.
pub(super) struct NewRows {
    notification: InsertNotification,
    idempotency: Option<IdempotencyRow>,
    deliveries: Vec<DeliveryRow>,
}

impl NewRows {
    pub(super) fn of(order: &Enqueue<'_>) -> Self {
        let notification = order.notification;
        let delivery = |delivery: &_| {
            let raised_by = notification.raised_by.clone();
            let entry = OutboxEntry::new(Clone::clone(delivery), raised_by, order.lease);
            DeliveryRow::new(&entry)
        };
        Self {
            deliveries: order.deliveries.iter().map(delivery).collect(),
            idempotency: order
                .idempotency
                .map(|promise| IdempotencyRow::new(notification, promise)),
            notification: InsertNotification::new(
                NotificationRow::new(notification),
                order.planned_at,
            ),
        }
    }

    pub(super) fn insert(&self, conn: &mut Conn) -> Result<Enqueued, Fault> {
        if let Some(promise) = &self.idempotency
            && let Some(known) = outbox::known(conn, promise)?
        {
            return Ok(known);
        }
        if RunQueryDsl::execute(&self.notification, conn)? == 0 {
            return Ok(Enqueued::Outdated);
        }
        if let Some(promise) = &self.idempotency {
            diesel::replace_into(idempotency::table)
                .values(promise)
                .execute(conn)?;
        }
        for row in &self.deliveries {
            diesel::insert_into(deliveries::table)
                .values(row)
                .execute(conn)?;
        }
        Ok(Enqueued::New)
    }
}

pub(crate) fn due_queues(conn: &mut Conn) -> Result<Vec<DueQueue>, Fault> {
    let rows: Vec<(String, String, i64)> = DueQueues.load(conn)?;
    rows.into_iter().map(due_queue).collect()
}

pub(super) fn claim_due(conn: &mut Conn, lease: &Lease, wants: &[Want]) -> Result<Vec<Job>, Fault> {
    let mut jobs = Vec::new();
    for want in wants {
        let mut rows: Vec<DeliveryRow> = Claim::new(lease, want).load(conn)?;
        rows.sort_unstable_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));
        let mut last: Option<(String, Head)> = None;
        for row in rows {
            let (id, head) = match last.take() {
                Some(known) if known.0 == row.notification => known,
                _ => (row.notification.clone(), head(conn, &row.notification)?),
            };
            let entry = row.into_entry()?;
            jobs.push(Job {
                delivery: entry.delivery,
                message: Arc::clone(&head.message),
                target: head.target.clone(),
                raised_at: head.raised_at,
                raised_by: entry.raised_by,
            });
            last = Some((id, head));
        }
    }
    Ok(jobs)
}

fn head(conn: &mut Conn, notification: &str) -> Result<Head, Fault> {
    notifications::table
        .find(notification)
        .select(NotificationRow::as_select())
        .get_result(conn)?
        .into_head()
}

/// The rows of a settlement, as long as the lease holds.
pub(super) struct SettledRows {
    settlement: Settlement,
    after: OutboxEntry,
    settle: Settle,
    attempt: Option<AttemptRow>,
}

impl SettledRows {
    pub(super) fn of(worker: WorkerId, settlement: &Settlement) -> Self {
        let delivery = &settlement.delivery;
        let (after, attempt) = OutboxEntry::settled(worker, settlement);
        Self {
            settle: Settle::new(delivery, worker, &after),
            attempt: attempt.map(|attempt| AttemptRow::new(delivery.id, &attempt)),
            settlement: settlement.clone(),
            after,
        }
    }

    pub(super) fn write(&self, conn: &mut Conn, worker: WorkerId) -> Result<Settled, Fault> {
        if RunQueryDsl::execute(&self.settle, conn)? == 0 {
            return outbox::settle(conn, worker, &self.settlement);
        }
        if let Some(attempt) = &self.attempt {
            diesel::insert_into(attempts::table)
                .values(attempt)
                .execute(conn)?;
        }
        if self.after.delivery.state == DeliveryState::Sent {
            receipt::apply_early(conn, &mut self.after.clone())?;
        }
        Ok(Settled::Recorded)
    }
}
