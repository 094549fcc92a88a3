//! Rows that cannot be read, set aside so that they stop nothing else.

use diesel::dsl::sql;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::sql_types::Bool;
use redflash_core::delivery::DeliveryState;
use tracing::error;

use super::index_condition::QUEUED;
use super::{Conn, RunQueryDsl};
use crate::error::QueryError;
use crate::row::delivery::UnreadableQueue;
use crate::schema::deliveries;

/// The changes to a row that cannot be read.
#[derive(diesel::AsChangeset)]
#[diesel(table_name = deliveries, treat_none_as_null = true)]
struct Quarantine {
    state: &'static str,
    detail: String,
    worker: Option<String>,
    leased_until: Option<i64>,
    lease_token: Option<i64>,
    receipt_due_at: Option<i64>,
}

impl Quarantine {
    fn because(error: &QueryError) -> Self {
        Self {
            state: DeliveryState::Quarantined.as_str(),
            detail: format!("set aside, since it cannot be read: {error}"),
            worker: None,
            leased_until: None,
            lease_token: None,
            receipt_due_at: None,
        }
    }
}

/// Sets a delivery aside that cannot be read. Any other fault is given back.
///
/// * `id` - the delivery's id in its row, which may be invalid.
pub(crate) async fn set_aside(
    conn: &mut Conn,
    id: &str,
    error: QueryError,
) -> Result<(), QueryError> {
    if !error.is_unreadable() {
        return Err(error);
    }
    error!(delivery = id, error = %error, "a delivery cannot be read and is set aside");
    diesel::update(deliveries::table.find(id))
        .set(Quarantine::because(&error))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets what waits in a queue aside whose key cannot be read.
pub(crate) async fn set_queue_aside(
    conn: &mut Conn,
    queue: &UnreadableQueue,
) -> Result<(), QueryError> {
    let waiting = deliveries::table
        .filter(sql::<Bool>(QUEUED))
        .filter(deliveries::lane.eq(&queue.lane))
        .filter(deliveries::raised_by.eq(&queue.raised_by));
    let error = QueryError::inconsistent("deliveries", "raised_by", &queue.raised_by);
    let rows = diesel::update(waiting)
        .set(Quarantine::because(&error))
        .execute(conn)
        .await?;
    error!(lane = queue.lane, rows, error = %error, "deliveries cannot be read and are set aside");
    Ok(())
}
