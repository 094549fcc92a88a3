//! Claimed rows, made into jobs.

use std::collections::{BTreeSet, HashMap};

use redflash_core::delivery::{Job, LeaseToken};

use super::set_aside::set_aside;
use super::{Conn, plans};
use crate::error::QueryError;
use crate::heads::Heads;
use crate::row::delivery::DeliveryRow;
use crate::row::notification::Head;

/// The jobs of claimed deliveries, in their order. What cannot be read is set aside, so that it stops
/// nothing else.
///
/// * `heads` - what is known of notifications already.
pub(crate) async fn jobs(
    conn: &mut Conn,
    rows: Vec<DeliveryRow>,
    token: LeaseToken,
    heads: &Heads,
) -> Result<Vec<Job>, QueryError> {
    let known = heads_of(conn, &rows, heads).await?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id.clone();
        match job(row, token, &known) {
            Ok(job) => jobs.push(job),
            Err(error) => set_aside(conn, &id, error).await?,
        }
    }
    Ok(jobs)
}

/// Reads the heads of the notifications of some deliveries, each once.
async fn heads_of(
    conn: &mut Conn,
    rows: &[DeliveryRow],
    heads: &Heads,
) -> Result<HashMap<String, Result<Head, QueryError>>, QueryError> {
    let ids: BTreeSet<&String> = rows.iter().map(|row| &row.notification).collect();
    let mut known = HashMap::new();
    let mut unknown = Vec::new();
    for id in ids {
        match heads.get(id) {
            Some(head) => drop(known.insert(id.clone(), Ok(head))),
            None => unknown.push(id.clone()),
        }
    }
    for row in plans(conn, unknown).await? {
        let arguments = row.arguments.as_ref().map_or(0, String::len);
        let (id, size) = (row.id.clone(), row.plan.len() + arguments);
        let head = row.into_head();
        if let Ok(head) = &head {
            heads.keep(&id, head, size);
        }
        known.insert(id, head);
    }
    Ok(known)
}

fn job(
    row: DeliveryRow,
    token: LeaseToken,
    heads: &HashMap<String, Result<Head, QueryError>>,
) -> Result<Job, QueryError> {
    let Some(Ok(head)) = heads.get(&row.notification) else {
        return Err(match heads.get(&row.notification) {
            Some(_) => QueryError::inconsistent("notifications", "plan", &row.notification),
            None => QueryError::inconsistent("deliveries", "notification", &row.id),
        });
    };
    let entry = row.into_entry()?;
    Ok(Job {
        delivery: entry.delivery,
        token,
        message: head.message.clone(),
        target: head.target.clone(),
        raised_at: head.raised_at,
        raised_by: entry.raised_by,
        arguments: head.arguments.clone(),
    })
}
