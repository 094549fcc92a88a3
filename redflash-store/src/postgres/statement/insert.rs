//! The statement that records alerts.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Text;

use super::{Integers, Longs, MaybeLongs, MaybeTexts, Texts};
use crate::row::notification::NewRows;

/// Records notifications with their deliveries, those whose directory has not changed since they
/// were planned. Returns the ids of these.
#[derive(Debug, Default, QueryId)]
pub(in super::super) struct Insert {
    id: Vec<String>,
    raised_at: Vec<i64>,
    raised_by: Vec<Option<String>>,
    plan: Vec<String>,
    arguments: Vec<Option<String>>,
    planned_at: Vec<Option<i64>>,
    deliveries: Deliveries,
}

/// The columns of new deliveries.
#[derive(Debug, Default)]
struct Deliveries {
    id: Vec<String>,
    notification: Vec<String>,
    contact: Vec<String>,
    endpoint: Vec<String>,
    channel: Vec<String>,
    address: Vec<String>,
    via: Vec<String>,
    lane: Vec<String>,
    raised_by: Vec<String>,
    state: Vec<String>,
    due_at: Vec<i64>,
    detail: Vec<String>,
    worker: Vec<Option<String>>,
    leased_until: Vec<Option<i64>>,
    claims: Vec<i32>,
    lease_token: Vec<Option<i64>>,
}

impl Insert {
    pub(in super::super) fn push(&mut self, rows: &NewRows) {
        let notification = &rows.notification;
        self.id.push(notification.id.clone());
        self.raised_at.push(notification.raised_at);
        self.raised_by.push(notification.raised_by.clone());
        self.plan.push(notification.plan.clone());
        self.arguments.push(notification.arguments.clone());
        self.planned_at.push(rows.planned_at);
        let columns = &mut self.deliveries;
        for row in &rows.deliveries {
            columns.id.push(row.id.clone());
            columns.notification.push(row.notification.clone());
            columns.contact.push(row.contact.clone());
            columns.endpoint.push(row.endpoint.clone());
            columns.channel.push(row.channel.clone());
            columns.address.push(row.address.clone());
            columns.via.push(row.via.clone());
            columns.lane.push(row.lane.clone());
            columns.raised_by.push(row.raised_by.clone());
            columns.state.push(row.state.clone());
            columns.due_at.push(row.due_at);
            columns.detail.push(row.detail.clone());
            columns.worker.push(row.worker.clone());
            columns.leased_until.push(row.leased_until);
            columns.claims.push(row.claims);
            columns.lease_token.push(row.lease_token);
        }
    }
}

impl QueryFragment<Pg> for Insert {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let new = &self.deliveries;
        out.push_sql(
            "WITH recorded AS (
                INSERT INTO notifications (id, raised_at, raised_by, plan, arguments)
                SELECT n.id, n.raised_at, n.raised_by, n.plan, n.arguments FROM ",
        );
        unnest!(
            out,
            Texts: self.id,
            Longs: self.raised_at,
            MaybeTexts: self.raised_by,
            Texts: self.plan,
            MaybeTexts: self.arguments,
            MaybeLongs: self.planned_at,
        );
        out.push_sql(
            " AS n (id, raised_at, raised_by, plan, arguments, planned_at)
                WHERE coalesce(n.planned_at = (SELECT version FROM directory), TRUE)
                RETURNING id
            ), queued AS (
                INSERT INTO deliveries (
                    id, notification, contact, endpoint, channel, address, via, lane, raised_by,
                    state, due_at, detail, worker, leased_until, claims, lease_token, attempts,
                    may_repeat, refused_by, parts_delivered
                )
                SELECT d.*, 0, FALSE, '', '' FROM ",
        );
        unnest!(
            out,
            Texts: new.id,
            Texts: new.notification,
            Texts: new.contact,
            Texts: new.endpoint,
            Texts: new.channel,
            Texts: new.address,
            Texts: new.via,
            Texts: new.lane,
            Texts: new.raised_by,
            Texts: new.state,
            Longs: new.due_at,
            Texts: new.detail,
            MaybeTexts: new.worker,
            MaybeLongs: new.leased_until,
            Integers: new.claims,
            MaybeLongs: new.lease_token,
        );
        out.push_sql(
            " AS d (
                    id, notification, contact, endpoint, channel, address, via, lane, raised_by,
                    state, due_at, detail, worker, leased_until, claims, lease_token
                )
                WHERE d.notification IN (SELECT id FROM recorded)
            )
            SELECT id FROM recorded",
        );
        Ok(())
    }
}

impl Query for Insert {
    type SqlType = Text;
}
