//! The directory's version, when it is to be changed.

use diesel::prelude::QueryDsl;
use diesel_async::RunQueryDsl;

use super::Conn;
use crate::error::QueryError;
use crate::schema::directory;

/// Returns the directory's version, locked until the transaction ends.
pub(super) async fn held_version(conn: &mut Conn) -> Result<u64, QueryError> {
    let version: i64 = directory::table
        .select(directory::version)
        .for_update()
        .get_result(conn)
        .await?;
    Ok(version.unsigned_abs())
}
