//! The number of entries in a store.

use diesel::prelude::QueryDsl;

use super::{Conn, RunQueryDsl};
use crate::copy::Counts;
use crate::error::QueryError;
use crate::schema::{
    api_keys, attempts, changes, contacts, deliveries, endpoints, events, groups, inbound,
    notifications, users,
};

pub(crate) async fn counts(conn: &mut Conn) -> Result<Counts, QueryError> {
    let count = |rows: i64| rows.unsigned_abs();
    Ok(Counts {
        contacts: count(contacts::table.count().get_result(conn).await?),
        endpoints: count(endpoints::table.count().get_result(conn).await?),
        groups: count(groups::table.count().get_result(conn).await?),
        events: count(events::table.count().get_result(conn).await?),
        keys: count(api_keys::table.count().get_result(conn).await?),
        users: count(users::table.count().get_result(conn).await?),
        notifications: count(notifications::table.count().get_result(conn).await?),
        deliveries: count(deliveries::table.count().get_result(conn).await?),
        attempts: count(attempts::table.count().get_result(conn).await?),
        inbound: count(inbound::table.count().get_result(conn).await?),
        changes: count(changes::table.count().get_result(conn).await?),
    })
}
