//! The statements that a busy store runs all the time: each takes many rows as arrays, one for each
//! column, is a transaction of its own, and is prepared once for a connection.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{HeldLease, Lease, Settlement};
use redflash_core::model::WorkerId;
use redflash_core::store::{ClaimRequest, OutboxEntry};

use crate::row::attempt::AttemptRow;
use crate::row::delivery::{Changes, small};
use crate::row::owner;
use crate::schema::deliveries;

type Texts = Array<Text>;
type MaybeTexts = Array<Nullable<Text>>;
type Longs = Array<BigInt>;
type MaybeLongs = Array<Nullable<BigInt>>;
type Integers = Array<Integer>;
type MaybeIntegers = Array<Nullable<Integer>>;
type Bools = Array<Bool>;

/// Pushes `unnest($1, $2, …)`: the arrays of a struct, in the order of their columns.
macro_rules! unnest {
    ($out:ident, $($sql_type:ty: $column:expr),+ $(,)?) => {{
        let mut mark = "unnest(";
        $(
            $out.push_sql(std::mem::replace(&mut mark, ", "));
            $out.push_bind_param::<$sql_type, _>(&$column)?;
        )+
        let _ = mark;
        $out.push_sql(")");
    }};
}

mod insert;

pub(super) use insert::Insert;

/// Ends leases that still are what they were, and logs their attempts. Returns the ids of these.
#[derive(Debug, Default, QueryId)]
pub(super) struct Settle {
    worker: String,
    id: Vec<String>,
    token: Vec<i64>,
    attempts_before: Vec<i32>,
    state: Vec<String>,
    attempts: Vec<i32>,
    due_at: Vec<i64>,
    first_attempt_at: Vec<Option<i64>>,
    gateway: Vec<Option<String>>,
    message_id: Vec<Option<String>>,
    parts: Vec<Option<i32>>,
    price: Vec<Option<String>>,
    detail: Vec<String>,
    may_repeat: Vec<bool>,
    refused_by: Vec<String>,
    receipt_due_at: Vec<Option<i64>>,
    parts_delivered: Vec<String>,
    made: Attempts,
}

/// The columns of attempts.
#[derive(Debug, Default)]
struct Attempts {
    delivery: Vec<String>,
    number: Vec<i32>,
    gateway: Vec<Option<String>>,
    started_at: Vec<i64>,
    ended_at: Vec<i64>,
    outcome: Vec<String>,
    detail: Vec<String>,
    may_repeat: Vec<bool>,
}

impl Settle {
    pub(super) fn new(worker: WorkerId) -> Self {
        Self {
            worker: worker.to_string(),
            ..Self::default()
        }
    }

    /// Writes `after`, if what a settlement ends is still leased under its token, and logs an attempt.
    pub(super) fn push(
        &mut self,
        settlement: &Settlement,
        after: &OutboxEntry,
        attempt: Option<AttemptRow>,
    ) {
        let changes = Changes::of(after);
        self.id.push(after.delivery.id.to_string());
        self.token.push(settlement.token.as_i64());
        self.attempts_before
            .push(small(settlement.delivery.attempts));
        self.state.push(changes.state.to_owned());
        self.attempts.push(changes.attempts);
        self.due_at.push(changes.due_at);
        self.first_attempt_at.push(changes.first_attempt_at);
        self.gateway.push(changes.gateway);
        self.message_id.push(changes.message_id);
        self.parts.push(changes.parts);
        self.price.push(changes.price);
        self.detail.push(changes.detail);
        self.may_repeat.push(changes.may_repeat);
        self.refused_by.push(changes.refused_by);
        self.receipt_due_at.push(changes.receipt_due_at);
        self.parts_delivered.push(changes.parts_delivered);
        if let Some(row) = attempt {
            let made = &mut self.made;
            made.delivery.push(row.delivery);
            made.number.push(row.number);
            made.gateway.push(row.gateway);
            made.started_at.push(row.started_at);
            made.ended_at.push(row.ended_at);
            made.outcome.push(row.outcome);
            made.detail.push(row.detail);
            made.may_repeat.push(row.may_repeat);
        }
    }
}

impl QueryFragment<Pg> for Settle {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH settled AS (
                UPDATE deliveries AS d SET state = s.state, attempts = s.attempts,
                    due_at = s.due_at, first_attempt_at = s.first_attempt_at, gateway = s.gateway,
                    message_id = s.message_id, parts = s.parts, price = s.price,
                    detail = s.detail, may_repeat = s.may_repeat, refused_by = s.refused_by,
                    receipt_due_at = s.receipt_due_at, parts_delivered = s.parts_delivered,
                    worker = NULL, leased_until = NULL, lease_token = NULL, claims = 0
                FROM ",
        );
        unnest!(
            out,
            Texts: self.id,
            Longs: self.token,
            Integers: self.attempts_before,
            Texts: self.state,
            Integers: self.attempts,
            Longs: self.due_at,
            MaybeLongs: self.first_attempt_at,
            MaybeTexts: self.gateway,
            MaybeTexts: self.message_id,
            MaybeIntegers: self.parts,
            MaybeTexts: self.price,
            Texts: self.detail,
            Bools: self.may_repeat,
            Texts: self.refused_by,
            MaybeLongs: self.receipt_due_at,
            Texts: self.parts_delivered,
        );
        out.push_sql(
            " AS s (id, token, attempts_before, state, attempts, due_at, first_attempt_at, gateway,
                    message_id, parts, price, detail, may_repeat, refused_by, receipt_due_at,
                    parts_delivered)
                WHERE d.id = s.id AND d.state = 'sending' AND d.lease_token = s.token
                    AND d.attempts = s.attempts_before AND d.worker = ",
        );
        out.push_bind_param::<Text, _>(&self.worker)?;
        out.push_sql(
            " RETURNING d.id
            ), logged AS (
                INSERT INTO attempts (
                    delivery, number, gateway, started_at, ended_at, outcome, detail, may_repeat
                )
                SELECT a.* FROM ",
        );
        let made = &self.made;
        unnest!(
            out,
            Texts: made.delivery,
            Integers: made.number,
            MaybeTexts: made.gateway,
            Longs: made.started_at,
            Longs: made.ended_at,
            Texts: made.outcome,
            Texts: made.detail,
            Bools: made.may_repeat,
        );
        out.push_sql(
            " AS a (delivery, number, gateway, started_at, ended_at, outcome, detail, may_repeat)
                WHERE a.delivery IN (SELECT id FROM settled)
            )
            SELECT id FROM settled",
        );
        Ok(())
    }
}

impl Query for Settle {
    type SqlType = Text;
}

/// Renews leases. Returns the ids of those that hold.
#[derive(Debug, QueryId)]
pub(super) struct Renew {
    worker: String,
    id: Vec<String>,
    token: Vec<i64>,
    until: i64,
}

impl Renew {
    pub(super) fn new(worker: WorkerId, held: &[HeldLease], until: Timestamp) -> Self {
        Self {
            worker: worker.to_string(),
            id: held.iter().map(|held| held.delivery.to_string()).collect(),
            token: held.iter().map(|held| held.token.as_i64()).collect(),
            until: until.as_millis(),
        }
    }
}

impl QueryFragment<Pg> for Renew {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE deliveries AS d SET leased_until = ");
        out.push_bind_param::<BigInt, _>(&self.until)?;
        out.push_sql(" FROM ");
        unnest!(out, Texts: self.id, Longs: self.token);
        out.push_sql(
            " AS held (id, token) WHERE d.id = held.id AND d.lease_token = held.token
                AND d.state = 'sending' AND d.worker = ",
        );
        out.push_bind_param::<Text, _>(&self.worker)?;
        out.push_sql(" RETURNING d.id");
        Ok(())
    }
}

impl Query for Renew {
    type SqlType = Text;
}

/// Leases what is due of several queues, passing over what another node is just leasing.
#[derive(Debug, QueryId)]
pub(super) struct Claim {
    lane: Vec<String>,
    raised_by: Vec<String>,
    limit: Vec<i32>,
    worker: String,
    token: i64,
    now: i64,
    until: i64,
}

impl Claim {
    pub(super) fn new(lease: &Lease, wants: &[ClaimRequest]) -> Self {
        let owner_of = |want: &ClaimRequest| owner(want.queue.raised_by.as_ref());
        Self {
            lane: wants
                .iter()
                .map(|want| want.queue.lane.to_string())
                .collect(),
            raised_by: wants.iter().map(owner_of).collect(),
            limit: wants.iter().map(|want| small(want.limit.get())).collect(),
            worker: lease.worker.to_string(),
            token: lease.token.as_i64(),
            now: lease.now.as_millis(),
            until: lease.until.as_millis(),
        }
    }
}

impl QueryFragment<Pg> for Claim {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH due AS MATERIALIZED (SELECT first.id FROM ");
        unnest!(out, Texts: self.lane, Texts: self.raised_by, Integers: self.limit);
        out.push_sql(
            " AS want (lane, raised_by, most) CROSS JOIN LATERAL (
                SELECT id FROM deliveries
                WHERE state = 'queued' AND lane = want.lane AND raised_by = want.raised_by
                    AND due_at <= ",
        );
        out.push_bind_param::<BigInt, _>(&self.now)?;
        out.push_sql(
            " ORDER BY due_at, id LIMIT want.most FOR UPDATE SKIP LOCKED
            ) AS first)
            UPDATE deliveries SET state = 'sending', claims = claims + 1, worker = ",
        );
        out.push_bind_param::<Text, _>(&self.worker)?;
        out.push_sql(", leased_until = ");
        out.push_bind_param::<BigInt, _>(&self.until)?;
        out.push_sql(", lease_token = ");
        out.push_bind_param::<BigInt, _>(&self.token)?;
        out.push_sql(" FROM due WHERE deliveries.id = due.id RETURNING ");
        deliveries::all_columns.walk_ast(out.reborrow())
    }
}

impl Query for Claim {
    type SqlType = deliveries::SqlType;
}

/// Every queue with something in it, and when its first is due. Jumps from queue to queue along the
/// index, so that the cost is the number of queues.
#[derive(Debug, QueryId)]
pub(super) struct DueQueues;

impl QueryFragment<Pg> for DueQueues {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH RECURSIVE queue (lane, raised_by, due_at) AS (
                (
                    SELECT lane, raised_by, due_at FROM deliveries WHERE state = 'queued'
                    ORDER BY lane, raised_by, due_at LIMIT 1
                )
                UNION ALL
                SELECT next.lane, next.raised_by, next.due_at
                FROM queue CROSS JOIN LATERAL (
                    SELECT lane, raised_by, due_at FROM deliveries
                    WHERE state = 'queued'
                        AND (lane, raised_by) > (queue.lane, queue.raised_by)
                    ORDER BY lane, raised_by, due_at LIMIT 1
                ) AS next
            )
            SELECT lane, raised_by, due_at FROM queue",
        );
        Ok(())
    }
}

impl Query for DueQueues {
    type SqlType = (Text, Text, BigInt);
}
